"""The handler of patches of metadata, in v1beta1.

Documented (the reference of `updateMetadata`): the body is a JSON Patch document; a study and a
series are patched by an operation. Inferred (conformance: dicom-patch-response, dicom-patch-type):
the response for an instance is its metadata; plain JSON is accepted beside the media type of
RFC 6902, as Google's client libraries send it.
"""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.core import json_reader, media_type
from emulator.core.errors import invalid_argument, not_found, too_large
from emulator.core.json_reader import JsonError
from emulator.core.rest import MAX_JSON_BYTES, JsonResponse
from emulator.services.healthcare.dicom.dicomweb import handlers
from emulator.services.healthcare.dicom.dicomweb.request import MODELS, DicomWebRequest
from emulator.services.healthcare.dicom.instances import retrieval
from emulator.services.healthcare.dicom.instances.group_commit import StoreGoneError
from emulator.services.healthcare.dicom.operations import metadata_update
from emulator.services.healthcare.dicom.parsing import metadata_patch
from emulator.services.healthcare.dicom.parsing.metadata_patch import Patch, PatchError
from emulator.services.healthcare.dicom.service import Dicom

JSON_PATCH = "application/json-patch+json"
_MEDIA_TYPES = frozenset({JSON_PATCH, "application/json"})


def endpoint(dicom: Dicom, version: str) -> Callable[[Request], Any]:
    """Return the endpoint of patches of the metadata of studies, series and instances."""

    async def serve(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_JSON_BYTES:
                raise too_large(f"The patch is longer than {MAX_JSON_BYTES} bytes.")
        return await run_in_threadpool(_patch, dicom, request, version, bytes(body))

    return serve


def _patch(dicom: Dicom, request: Request, version: str, body: bytes) -> Response:
    web = DicomWebRequest.from_request(dicom, request, version)
    patch = _read(request.headers.get("content-type", ""), body)
    if web.resource_path.instance is None:
        retrieval.instances(dicom.contents, web.resource_path, "id")
        return JsonResponse(metadata_update.begin(dicom, web.resource_path, patch, version))
    web.choose(MODELS)  # a response that can't be sent is refused before anything changes
    try:
        metadata_update.patch_instance(dicom.contents, web.resource_path, patch)
    except StoreGoneError as error:
        raise not_found(str(error)) from error
    return handlers.metadata(web)


def _read(content_type: str, body: bytes) -> Patch:
    if media_type.parse(content_type).type not in _MEDIA_TYPES:
        raise invalid_argument(f"The Content-Type of a patch of metadata must be {JSON_PATCH}.")
    try:
        return metadata_patch.check(json_reader.read(body))
    except JsonError as error:
        raise invalid_argument(f"The body is not JSON: {error}") from None
    except PatchError as error:
        raise invalid_argument(str(error)) from None
