"""JSON bodies for backends that read strict JSON only."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Message, Receive

from emulator.core import json_reader, media_type
from emulator.core.rest import MAX_JSON_BYTES, limited_body

_JSON = "application/json"


async def with_strict_json(request: Request) -> Request:
    """Return a request whose JSON body is strict; other requests unchanged.

    The content of an upload is not looked at, whatever its type.
    """
    if not _has_json_body(request):
        return request
    raw = await run_in_threadpool(json_reader.to_strict, await limited_body(request))
    return with_body(request, raw)


def with_body(request: Request, raw: bytes) -> Request:
    """Return a request with another body."""
    headers = [one for one in request.scope["headers"] if one[0] != b"content-length"]
    headers.append((b"content-length", str(len(raw)).encode()))
    return Request({**request.scope, "headers": headers}, _receiver(raw))


def _has_json_body(request: Request) -> bool:
    if request.scope["raw_path"].startswith((b"/upload/", b"/resumable/")) and (
        request.method != "POST" or request.query_params.get("uploadType") != "resumable"
    ):
        return False
    declared = request.headers.get("content-length", "")
    content_type = media_type.parse(request.headers.get("content-type", "")).type
    return content_type == _JSON and declared.isdecimal() and 0 < int(declared) <= MAX_JSON_BYTES


def _receiver(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
