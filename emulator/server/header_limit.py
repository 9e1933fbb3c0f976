"""An HTTP protocol class that limits the size of request headers.

httptools has no limit and copies its buffer on each chunk, so one request with a header of 100 MB
would block the event loop.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 256 << 10
"""The limit of the request line and the headers; that of Google's front end is lower."""


class HeaderLimitProtocol(HttpToolsProtocol):
    """uvicorn's protocol class; it closes a connection whose headers exceed the limit."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the headers of the first request."""
        super().connection_made(transport)
        self._in_headers, self._header_bytes, self._requests = True, 0, 0

    def data_received(self, data: bytes) -> None:
        """Parse the next bytes, or refuse them."""
        if self._header_bytes > MAX_HEADER_BYTES:
            self.send_400_response(
                f"The request's headers are longer than {MAX_HEADER_BYTES} bytes."
            )
            return
        in_headers, before = self._in_headers, self._requests
        super().data_received(data)
        only_headers = in_headers and self._requests == before
        self._header_bytes = self._header_bytes + len(data) if only_headers else 0

    def on_headers_complete(self) -> None:
        """Note the end of the headers."""
        self._in_headers = False
        self._requests += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the headers of the next request."""
        self._in_headers = True
        super().on_message_complete()
