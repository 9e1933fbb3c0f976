"""Requests passed on to a server on this machine, and its answers passed back, both as streams."""

from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import StreamingResponse

HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding"})
_UNLIMITED_CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=32)


def transport() -> httpx.AsyncHTTPTransport:
    """Return what carries requests; connections are used again."""
    # Plain HTTP: to load this machine's certificates takes a while.
    return httpx.AsyncHTTPTransport(verify=False, limits=_UNLIMITED_CONNECTIONS)


def headers(
    request: Request, left_out: frozenset[bytes] = frozenset()
) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request that are not for the connection.

    Args:
        request: the request
        left_out: names of further headers that are not passed on
    """
    return [one for one in request.headers.raw if one[0] not in HOP_BY_HOP | left_out]


def has_body(request: Request) -> bool:
    """Whether a request has a body."""
    return request.headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in request.headers
    )


def response(answer: httpx.Response) -> StreamingResponse:
    """Return an answer as it came."""
    passed = StreamingResponse(_content(answer), answer.status_code)
    passed.raw_headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower() not in HOP_BY_HOP
    ]
    return passed


async def _content(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the bytes as they come, compressed ones too."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
