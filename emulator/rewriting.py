"""What Google's clients do to requests on their way, undone before a route is sought."""

import zlib
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.errors import ApiError, invalid_argument
from emulator.http import JsonResponse, limited_body

_OVERRIDES = ("DELETE", "PATCH", "PUT")
_APIS = frozenset({"_emulator", "b", "bigquery", "projects", "storage", "v1", "v1beta1"})
"""How paths begin whose bodies are messages; uploads and objects keep the encoding they come in."""
_PIECE = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Inflated:
    """The Java client sends every body compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass such a request on with its body as it was."""
        if scope["type"] == "http" and _is_compressed(scope):
            scope = {**scope, "headers": _of_inflated(scope["headers"])}
            receive = _Inflating(receive)
        await self._app(scope, receive, send)


class _Inflating:
    """Gives the body in pieces of a bounded size, however much one byte of it inflates to."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._stream = zlib.decompressobj(_GZIP)
        self._waiting = b""
        self._inside = False  # whether the stream may give more without any further input
        self._more = True
        self._begun = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            ApiError: 400 for what is not compressed, or ends before its end.
        """
        if not self._inside:
            message: MutableMapping[str, Any] = await self._receive()
            if message["type"] != "http.request":
                return message
            self._waiting = message.get("body", b"")
            self._more = message.get("more_body", False)
            self._begun = self._begun or bool(self._waiting)
        try:
            body = self._stream.decompress(self._waiting, _PIECE)
        except zlib.error:
            raise invalid_argument("The request's body is not compressed by gzip.") from None
        self._waiting = self._stream.unconsumed_tail
        ended = self._stream.eof or not self._begun
        self._inside = not ended and (bool(self._waiting) or len(body) == _PIECE)
        if not (ended or self._inside or self._more):
            raise invalid_argument("The request's body ends before its compressed content does.")
        return {"type": "http.request", "body": body, "more_body": self._inside or self._more}


def _is_compressed(scope: Scope) -> bool:
    begins = scope["path"].removeprefix("/").partition("/")[0]
    return (b"content-encoding", b"gzip") in scope["headers"] and begins in _APIS


def _of_inflated(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a body whose length nobody knows yet."""
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    return [one for one in headers if one[0] not in gone] + [(b"transfer-encoding", b"chunked")]


class MethodOverride:
    """A POST may stand for another method.

    Google's clients send a GET whose address is very long as a POST with a form, and Java's default
    transport has no PATCH.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn such a POST into what it stands for."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            override = request.headers.get("x-http-method-override", "").upper()
            if override == "GET":
                try:
                    query = await limited_body(request)
                except ApiError as error:
                    answer = JsonResponse(error.body(), status_code=error.code)
                    await answer(scope, receive, send)
                    return
                scope = {**scope, "method": "GET", "query_string": query}
                receive = _no_body
            elif override in _OVERRIDES and scope["method"] == "POST":
                scope = {**scope, "method": override}
        await self._app(scope, receive, send)


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
