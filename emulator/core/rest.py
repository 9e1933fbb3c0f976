"""Routes of a JSON API: requests become calls of handlers, results become responses."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from emulator.core import json_reader
from emulator.core.errors import ApiError, invalid_argument, too_large
from emulator.core.json_reader import JsonError
from emulator.core.resources.partial_response import select_fields
from emulator.core.route_tree import LazyRoute

VERSIONS = ("v1", "v1beta1")
MAX_JSON_BYTES = 10 * 1024 * 1024
_SHORT_BYTES = 1 << 16
"""Bodies shorter than this are parsed sooner than a thread is reached."""


Json = dict[str, Any]
ServiceT = TypeVar("ServiceT")
"""The object of the service that a handler belongs to, such as `PubSub`."""


@dataclass(frozen=True)
class Call(Generic[ServiceT]):
    """A request whose body is a JSON object or empty.

    Attributes:
        service: the state of the service that is called
        path: the variables of the route
        query: the query's parameters
        body: the JSON object of the body; empty if there is none
        version: `v1` or `v1beta1`, as called
        if_match: the header If-Match; empty if there is none
        authorization: the header Authorization; empty if there is none
    """

    service: ServiceT
    path: Mapping[str, str]
    query: QueryParams
    body: dict[str, Any] = field(default_factory=dict)
    version: str = "v1"
    if_match: str = ""
    authorization: str = ""

    def values(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated."""
        return self.query.getlist(name)


Handler = Callable[[Call[ServiceT]], Json | None]
"""Returns the body of the response; None for a 204."""
Endpoint = Callable[[Request], Awaitable[Response]]


class JsonResponse(Response):
    """JSON as Google writes it: an object always, never an empty body."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body; half a surrogate pair stays escaped, UTF-8 has none."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")


class _Id(StringConvertor):
    """An id in a path, up to the colon of a verb: `name:verb`."""

    regex = "[^/:]+"


class _Name(StringConvertor):
    """A name in a path that is not an operation of FHIR: `$export` has a route, or none."""

    regex = "[^/$][^/]*"


register_url_convertor("id", _Id())
register_url_convertor("name", _Name())


def routes(
    service: ServiceT,
    method: str,
    path: str,
    handler: Handler[ServiceT],
    versions: Sequence[str] = VERSIONS,
) -> Iterator[LazyRoute]:
    """Yield a route for each version of the API.

    Args:
        service: what the handler's calls carry
        method: the HTTP method
        path: the path behind the version, such as `/projects/{project}`
        handler: returns the response; it runs in a thread
        versions: of the API
    """
    for version in versions:
        yield LazyRoute(f"/{version}{path}", endpoint(service, handler, version), method)


def endpoint(
    service: ServiceT,
    handler: Handler[ServiceT],
    version: str = "v1",
    *,
    render_error: Callable[[ApiError], ApiError] | None = None,
) -> Endpoint:
    """Return the endpoint of a handler.

    Args:
        service: what the handler's calls carry
        handler: returns the response; it runs in a thread
        version: of the API
        render_error: returns an error in the shape of the service, if it has its own
    """

    async def serve(request: Request) -> Response:
        try:
            call = Call(
                service=service,
                path=request.path_params,
                query=request.query_params,
                body=await _json_body(request),
                version=version,
                if_match=request.headers.get("if-match", ""),
                authorization=request.headers.get("authorization", ""),
            )
            answer = await run_in_threadpool(handler, call)
            if answer is None:
                return Response(status_code=204)
            if fields := call.query.get("fields"):
                answer = select_fields(answer, fields)
        except ApiError as error:
            if render_error is None:
                raise
            raise render_error(error) from error
        return JsonResponse(answer)

    return serve


async def limited_body(request: Request) -> bytes:
    """Return the body, refused as soon as it is longer than any JSON request has reason to be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise too_large(f"The request's body is longer than {MAX_JSON_BYTES} bytes.")
    return bytes(body)


async def _json_body(request: Request) -> Json:
    """Return the JSON object of a request; a long body is parsed in a thread."""
    raw = await limited_body(request)
    if len(raw) < _SHORT_BYTES:
        return parse_json(raw)
    return await run_in_threadpool(parse_json, raw)


def parse_json(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body, read as leniently as Google reads it.

    Raises:
        ApiError: 400, the body is not JSON, or not an object
    """
    if not raw.strip():
        return {}
    try:
        body = json_reader.read(raw)
    except JsonError as error:
        raise invalid_argument(f"Invalid JSON payload received. {error}") from None
    if not isinstance(body, dict):
        raise invalid_argument("Invalid JSON payload received. The body must be a JSON object.")
    return body
