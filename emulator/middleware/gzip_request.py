"""Middleware that decompresses the gzip bodies of requests."""

import zlib
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.core.errors import invalid_argument

_APIS = frozenset({"_emulator", "b", "bigquery", "projects", "storage", "v1", "v1beta1", "v2"})
"""First parts of paths whose bodies are JSON; uploads and objects keep their encoding."""
_CHUNK_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class GzipRequestMiddleware:
    """Decompresses the bodies of API calls: Google's Java client compresses every one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its body decompressed."""
        if scope["type"] == "http" and _is_compressed(scope):
            scope = {**scope, "headers": _without_length(scope["headers"])}
            receive = _Decompressor(receive)
        await self._app(scope, receive, send)


class _Decompressor:
    """Receives a body in chunks of a bounded size, whatever its compression ratio."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._stream = zlib.decompressobj(_GZIP)
        self._input = b""
        self._has_output = False  # whether the stream may have output without more input
        self._more = True
        self._has_begun = False

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            ApiError: 400 if the body is not compressed by gzip, or is truncated.
        """
        if not self._has_output:
            message: MutableMapping[str, Any] = await self._receive()
            if message["type"] != "http.request":
                return message
            self._input = message.get("body", b"")
            self._more = message.get("more_body", False)
            self._has_begun = self._has_begun or bool(self._input)
        try:
            body = self._stream.decompress(self._input, _CHUNK_BYTES)
        except zlib.error:
            raise invalid_argument("The request's body is not compressed by gzip.") from None
        self._input = self._stream.unconsumed_tail
        ended = self._stream.eof or not self._has_begun
        self._has_output = not ended and (bool(self._input) or len(body) == _CHUNK_BYTES)
        if not (ended or self._has_output or self._more):
            raise invalid_argument("The request's body ends before its compressed content does.")
        return {"type": "http.request", "body": body, "more_body": self._has_output or self._more}


def _is_compressed(scope: Scope) -> bool:
    root = scope["path"].removeprefix("/").partition("/")[0]
    return (b"content-encoding", b"gzip") in scope["headers"] and root in _APIS


def _without_length(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a body of unknown length."""
    dropped = (b"content-encoding", b"content-length", b"transfer-encoding")
    return [one for one in headers if one[0] not in dropped] + [(b"transfer-encoding", b"chunked")]
