"""From a request to a plain call and back: what every JSON route shares."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.errors import invalid_argument, too_large
from emulator.fields import select

VERSIONS = ("v1", "v1beta1")
MOST_JSON_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Call:
    """A request whose body is JSON, or none.

    Attributes:
        cloud: The state of all services.
        path: The variables of the route.
        query: The query's parameters.
        body: The JSON object of the body; empty if there is none.
        version: `v1` or `v1beta1`, as called.
    """

    cloud: Cloud
    path: Mapping[str, str]
    query: QueryParams
    body: dict[str, Any] = field(default_factory=dict)
    version: str = "v1"

    def values(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated."""
        return self.query.getlist(name)


Handler = Callable[[Call], dict[str, Any]]


class JsonResponse(Response):
    """JSON as Google writes it: an object always, never an empty body."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body; half a surrogate pair, which UTF-8 has not, stays escaped."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")


class _Id(StringConvertor):
    """An id in a path: what follows a colon is a verb, `name:verb`, and no part of it."""

    regex = "[^/:]+"


register_url_convertor("id", _Id())


def routes(method: str, path: str, handler: Handler) -> Iterator[Route]:
    """A route in each version of the API.

    Args:
        method: The HTTP method.
        path: The path behind the version, such as `/projects/{project}`.
        handler: What answers; it runs in a thread.
    """
    for version in VERSIONS:
        yield Route(f"/{version}{path}", _endpoint(handler, version), methods=[method])


def _endpoint(handler: Handler, version: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        call = Call(
            cloud=request.app.state.cloud,
            path=request.path_params,
            query=request.query_params,
            body=parse_json(await limited_body(request)),
            version=version,
        )
        answer = await run_in_threadpool(handler, call)
        if fields := call.query.get("fields"):
            answer = select(answer, fields)
        return JsonResponse(answer)

    return endpoint


async def limited_body(request: Request) -> bytes:
    """The body, refused as soon as it is longer than any JSON request has reason to be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_JSON_BYTES:
            raise too_large(f"The request's body is longer than {MOST_JSON_BYTES} bytes.")
    return bytes(body)


def parse_json(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        ApiError: 400 for what is no JSON, or no object.
    """
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise invalid_argument(f"Invalid JSON payload received. {error}") from None
    if not isinstance(body, dict):
        raise invalid_argument("Invalid JSON payload received. The body must be a JSON object.")
    return body


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def page(
    items: list[dict[str, Any]], query: Mapping[str, str], key: str, *, default: int, most: int
) -> dict[str, Any]:
    """One page of a list, as `pageSize` and `pageToken` ask.

    Raises:
        ApiError: 400 for a page size or token that is none.
    """
    size = _number(query.get("pageSize") or "0", "page_size")
    start = _number(query.get("pageToken") or "0", "page_token")
    size = min(size or default, most)
    answer: dict[str, Any] = {}
    if shown := items[start : start + size]:
        answer[key] = shown
    if start + size < len(items):
        answer["nextPageToken"] = str(start + size)
    return answer


_MOST_DIGITS = 18


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise invalid_argument(
            f"Invalid value for {name}: {text[:100]!r} is not a number from 0 of 64 bits."
        )
    return int(text)
