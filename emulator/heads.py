"""HTTP with heads of requests that are bounded.

The parser takes a head of any length, and joins what it has anew with every bit that comes: one of
some hundred megabytes would keep the server from everybody else.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 256 << 10
"""Of the request line and the headers; Google's front end takes less."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, which ends a connection whose request never comes to its body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a head."""
        super().connection_made(transport)
        self._in_head, self._head_bytes, self._heads = True, 0, 0

    def data_received(self, data: bytes) -> None:
        """Take the next bytes, or refuse them."""
        if self._head_bytes > MOST_HEAD_BYTES:
            self.send_400_response(f"The request's head is over {MOST_HEAD_BYTES} bytes.")
            return
        in_head, before = self._in_head, self._heads
        super().data_received(data)
        all_head = in_head and self._heads == before
        self._head_bytes = self._head_bytes + len(data) if all_head else 0

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._in_head = False
        self._heads += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head = True
        super().on_message_complete()
