"""Requests passed on to fake-gcs-server, and its answers passed back, both as streams."""

from urllib.parse import unquote_to_bytes

import httpx
from starlette.requests import Request
from starlette.responses import Response

from emulator.core import reverse_proxy
from emulator.services.storage import request_names
from emulator.services.storage.backend import unreachable

_OF_THIS_SERVER = frozenset({b"host"})
_TOKENS = {
    *(b"access_token", b"oauth_token", b"key"),
    *(b"signature", b"x-goog-signature", b"googleaccessid", b"x-goog-credential"),
}
_SECONDS = 600.0


class ReverseProxy:
    """The way to fake-gcs-server for requests as they are; connections are used again.

    Args:
        url: The address, without a path.
        transport: What carries the requests, in tests.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = httpx.URL(url)
        self._transport = transport or reverse_proxy.transport()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __call__(self, request: Request) -> Response:
        """Pass a request on.

        Raises:
            StorageError: 503 if the server can't be reached, 400 for a name that it can't keep.
        """
        body = await request_names.validate(request)
        path, query = request.scope["raw_path"], _without_tokens(request.scope["query_string"])
        outgoing = httpx.Request(
            request.method,
            self._url.copy_with(raw_path=path + (b"?" + query if query else b"")),
            headers=reverse_proxy.headers(request, _OF_THIS_SERVER),
            content=body if reverse_proxy.has_body(request) else None,
            extensions={"timeout": httpx.Timeout(_SECONDS).as_dict()},
        )
        try:
            answer = await self._transport.handle_async_request(outgoing)
        except httpx.HTTPError as error:
            raise unreachable(error) from None
        if request.method == "DELETE" and answer.status_code == httpx.codes.OK:
            # It says `null`, where Cloud Storage says nothing.
            await answer.aclose()
            return Response(status_code=httpx.codes.NO_CONTENT)
        return reverse_proxy.response(answer)


def _without_tokens(query: bytes) -> bytes:
    """Return a query without tokens and signatures: fake-gcs-server would write them to its log."""

    def is_secret(parameter: bytes) -> bool:
        return unquote_to_bytes(parameter.partition(b"=")[0]).lower() in _TOKENS

    return b"&".join(one for one in query.split(b"&") if not is_secret(one))
