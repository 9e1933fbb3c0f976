"""Find the object names in a request to fake-gcs-server and validate them: see `object_names.py`.

It is read as fake-gcs-server, a Go program, reads it.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from emulator.core import media_type
from emulator.core.rest import limited_body
from emulator.services.storage import object_names
from emulator.services.storage.errors import StorageError, no_bucket
from emulator.services.storage.object_names import BUCKET

MAX_METADATA_BYTES = 1 << 20
"""Bytes of the parts before the content in a multipart upload."""
_NO_NAMES = frozenset({"prefix", "delimiter", "startOffset", "endOffset", "matchGlob", "pageToken"})
_IN_PATH = re.compile(r"/storage/v1/b/([^/]+)")
_INNER = re.compile(rb"^(?:DELETE|GET|HEAD|PATCH|POST|PUT)[ \t]+(\S+)", re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FORM_KEY = re.compile(rb"""name=["']?key\b.*?\r?\n\r?\n(.*?)\r?\n""", re.IGNORECASE | re.DOTALL)


async def validate(request: Request) -> AsyncIterator[bytes]:
    """Look for names in a request, as far as they come before an object's content.

    Returns:
        The request's body.

    Raises:
        StorageError: 400 for a name with a part that is `.` or `..`, 404 for no bucket's name.
    """
    path = request.scope["raw_path"].decode("ascii", "replace")
    object_names.validate(unquote(path))
    for bucket in _IN_PATH.findall(path)[:1]:
        if not BUCKET.fullmatch(unquote(bucket)):
            raise no_bucket()
    for key, value in request.query_params.multi_items():
        if key not in _NO_NAMES:
            object_names.validate(value)
    if path.startswith("/batch/"):
        whole = await limited_body(request)
        for target in _INNER.findall(whole):
            object_names.validate(unquote(target.decode("utf-8", "replace")))
        return _replay(whole)
    if request.method == "POST" and request.query_params.get("uploadType") == "resumable":
        whole = await limited_body(request)
        _check_metadata(whole)
        return _replay(whole)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return await _checked_parts(request)
    return request.stream()


async def _checked_parts(request: Request) -> AsyncIterator[bytes]:
    stream, held = request.stream(), bytearray()
    async for chunk in stream:
        held += chunk
        if len(held) > MAX_METADATA_BYTES:
            break
    beginning = bytes(held)
    for key in _FORM_KEY.findall(beginning):
        object_names.validate(key.decode("utf-8", "replace"))
    parts = beginning.split(b"--" + _boundary(request))
    if "related" in request.headers["content-type"].lower() and len(parts) > 1:
        if len(parts) == 2 and len(beginning) > MAX_METADATA_BYTES:
            raise StorageError(400, f"An object's metadata are over {MAX_METADATA_BYTES} bytes.")
        head, *rest = _HEAD_END.split(parts[1], maxsplit=1)
        if b"quoted-printable" in head.lower():
            raise StorageError(400, "An object's metadata can't be quoted-printable.")
        _check_metadata(b"".join(rest))
    return _replay(beginning, stream)


def _boundary(request: Request) -> bytes:
    parameters = media_type.parse(request.headers["content-type"]).parameters
    if any("*" in name for name in parameters):  # RFC 2231: Go puts the pieces together
        raise StorageError(400, "The Content-Type has a parameter in pieces or with a charset.")
    return parameters.get("boundary", "").encode("utf-8", "replace")


def _check_metadata(content: bytes) -> None:
    """Check the names in an object's metadata; Go takes a key in either case, and the last one."""
    text = content.decode("utf-8", "replace").strip()
    if not text:
        return

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, value in pairs:
            if key.lower() in ("name", "id") and isinstance(value, str):
                object_names.validate(value)
        return dict(pairs)

    try:
        # What stands behind the first value is not read there either.
        json.JSONDecoder(object_pairs_hook=look).raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise StorageError(400, f"An object's metadata are no JSON: {error}") from None


async def _replay(
    beginning: bytes, rest: AsyncIterator[bytes] | None = None
) -> AsyncIterator[bytes]:
    yield beginning
    if rest is not None:
        async for chunk in rest:
            yield chunk
