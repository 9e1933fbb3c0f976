"""Calls of the Healthcare API on behalf of callers, whose bodies are passed on as streams."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

import httpx
from starlette.requests import Request
from starlette.responses import StreamingResponse

from workloads.common import google
from workloads.gateway.errors import RefusedError
from workloads.gateway.paths import Target
from workloads.gateway.rewriting import MEDIA_TYPES, Replacer, replaced
from workloads.gateway.settings import Limits
from workloads.gateway.tokens import Tokens

REQUEST_HEADERS = frozenset(
    {
        *("accept", "content-type", "if-match", "if-none-match", "if-modified-since"),
        *("if-none-exist", "if-range", "prefer", "range"),
    }
)
"""Headers of callers that are passed on: none of them says who calls, or changes the method."""
RESPONSE_HEADERS = frozenset(
    {
        *("accept-ranges", "content-length", "content-location", "content-range", "content-type"),
        *("etag", "last-modified", "location", "retry-after", "warning"),
    }
)
"""Headers of the API's answers that are passed back."""
ANSWER_SECONDS = 300.0
"""Until the first byte of an answer, and between two bytes."""
CONNECT_SECONDS = 10.0
_MAX_SIZED_BYTES = 32 << 20
"""Documented: Cloud Run refuses longer responses, unless they are streamed
(https://cloud.google.com/run/quotas)."""
_ONCE = ("authorization", "content-length", "content-type", "host", "range", "transfer-encoding")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?")


class Upstream:
    """The API behind a gateway.

    Args:
        transport: carries the requests
        tokens: of the gateway
        limits: of bodies
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, tokens: Tokens, limits: Limits) -> None:
        self._transport = transport
        self._tokens = tokens
        self._limits = limits
        self._root = google.healthcare_root().rstrip("/")

    async def call(self, request: Request, target: Target) -> StreamingResponse:
        """Pass a request on, and return the answer, whose body comes as a stream.

        Raises:
            RefusedError: the request is not valid, or breaks a limit; the API does not answer
        """
        self._check(request)
        query = request.scope["query_string"]
        raw_path = target.path.encode() + (b"?" + query if query else b"")
        outgoing = httpx.Request(
            request.method,
            httpx.URL(self._root).copy_with(raw_path=raw_path),
            headers=[
                *(
                    one
                    for one in request.headers.raw
                    if one[0].decode("latin-1") in REQUEST_HEADERS
                ),
                # A compressed answer could not be searched for addresses.
                (b"accept-encoding", b"identity"),
                (b"authorization", await self._tokens.authorization()),
            ],
            content=self._body(request) if has_body(request) else None,
            extensions={
                "timeout": httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS).as_dict()
            },
        )
        try:
            answer = await self._transport.handle_async_request(outgoing)
        except httpx.TimeoutException:
            raise RefusedError(504, "The Healthcare API did not answer in time.") from None
        except httpx.TransportError:
            raise RefusedError(502, "The Healthcare API can't be reached: try again.") from None
        return self._response(answer, f"{request.url.scheme}://{request.headers['host']}", target)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _check(self, request: Request) -> None:
        headers = request.headers
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise RefusedError(400, f"The request has more than one header {name}.")
        if "content-length" in headers and "transfer-encoding" in headers:
            raise RefusedError(400, "The request has both Content-Length and Transfer-Encoding.")
        if "content-encoding" in headers:
            raise RefusedError(400, "The gateway takes no compressed bodies.")
        if not _HOST.fullmatch(headers.get("host", "")):
            raise RefusedError(400, "The header Host is not valid.")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise RefusedError(400, "The header Content-Length is not valid.")
        if int(length) > self._limits.body_bytes:
            raise self._too_long()

    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the body of a request.

        Raises:
            RefusedError: it is too long, or does not come
        """
        total = 0
        stream = request.stream()
        while True:
            try:
                chunk = await asyncio.wait_for(anext(stream), self._limits.idle_seconds)
            except StopAsyncIteration:
                return
            except TimeoutError:
                seconds = self._limits.idle_seconds
                raise RefusedError(408, f"No byte of the body came for {seconds} s.") from None
            total += len(chunk)
            if total > self._limits.body_bytes:
                raise self._too_long()
            yield chunk

    def _too_long(self) -> RefusedError:
        return RefusedError(413, f"The body is longer than {self._limits.body_bytes} bytes.")

    def _response(self, answer: httpx.Response, own_root: str, target: Target) -> StreamingResponse:
        old, new = (f"{root}/v1/{target.store}" for root in (self._root, own_root))
        headers = {
            name: value.replace(old, new)
            for name, value in answer.headers.items()
            if name in RESPONSE_HEADERS
        }
        headers |= {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
        content = _content(answer)
        if _media_type(headers) in MEDIA_TYPES:
            headers.pop("content-length", None)
            content = replaced(content, Replacer(old.encode(), new.encode()))
        elif int(headers.get("content-length", "0")) > _MAX_SIZED_BYTES:
            headers.pop("content-length")
        return StreamingResponse(content, answer.status_code, headers)


def has_body(request: Request) -> bool:
    """Whether a request has a body."""
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _content(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
