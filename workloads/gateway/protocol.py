"""HTTP connections whose clients can't hold them with a header that never ends."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 64 << 10
"""The limit of the request line and the headers."""
HEADER_SECONDS = 20.0
"""From the first byte of a request to the end of its headers."""


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits of size and time for the headers, which it has not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the headers of the first request."""
        super().connection_made(transport)
        self._is_in_headers, self._header_bytes = True, 0
        self._deadline: asyncio.TimerHandle | None = self._wait()

    def data_received(self, data: bytes) -> None:
        """Parse the next bytes, or refuse them."""
        if self._is_in_headers:
            self._header_bytes += len(data)
            if self._deadline is None:
                self._deadline = self._wait()
            if self._header_bytes > MAX_HEADER_BYTES and not self._ends_headers(data):
                self.send_400_response(f"The headers are longer than {MAX_HEADER_BYTES} bytes.")
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Note the end of the headers."""
        self._is_in_headers, self._header_bytes = False, 0
        self._forget_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the headers of the next request."""
        self._is_in_headers = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _ends_headers(self, data: bytes) -> bool:
        """Whether the headers end in a chunk that is a part of a body besides."""
        return self._header_bytes - len(data) <= MAX_HEADER_BYTES and b"\r\n\r\n" in data

    def _wait(self) -> asyncio.TimerHandle:
        return self.loop.call_later(HEADER_SECONDS, self._close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
