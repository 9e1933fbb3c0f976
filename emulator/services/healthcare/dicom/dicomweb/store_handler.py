"""The handler of stores and updates of instances, which writes the body to disk as it arrives."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.core.errors import not_found
from emulator.services.healthcare.dicom.dicomweb import native_xml, stow
from emulator.services.healthcare.dicom.dicomweb.accept import Representation
from emulator.services.healthcare.dicom.dicomweb.body_parts import PartFactory
from emulator.services.healthcare.dicom.dicomweb.request import (
    DICOM_JSON,
    MODELS,
    DicomWebRequest,
    json_bytes,
    plain,
)
from emulator.services.healthcare.dicom.dicomweb.request_body import MAX_MEMORY_BYTES, StowBody
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.group_commit import StoreGoneError
from emulator.services.healthcare.dicom.service import Dicom

STORED_MODELS = [Representation(native_xml.MEDIA_TYPE, parts=False), *MODELS[:2]]
"""Representations of the response, the default first."""


def endpoint(dicom: Dicom, version: str, action: Action) -> Callable[[Request], Any]:
    """Return the endpoint of the Store transaction, or of the update of instances."""

    async def serve(request: Request) -> Response:
        new_part = PartFactory(dicom.contents.blobs.new_staging_file)
        content_type = request.headers.get("content-type", "")
        body = StowBody(content_type, new_part, allow_json=action is Action.STORED)
        if not _is_small(
            request
        ):  # a small body is read before it is refused: no change of threads
            await run_in_threadpool(_storing, dicom, request, version)
        try:
            await body.receive(request.stream())
        except BaseException:
            body.discard()
            raise
        return await run_in_threadpool(_store, dicom, request, version, body, action)

    return serve


def _is_small(request: Request) -> bool:
    declared = request.headers.get("content-length", "")
    return declared.isdecimal() and int(declared) < MAX_MEMORY_BYTES


def _storing(dicom: Dicom, request: Request, version: str) -> tuple[DicomWebRequest, str]:
    """Return the request and the media type of its response, or refuse it."""
    web = DicomWebRequest.from_request(dicom, request, version)
    return web, web.choose(STORED_MODELS).media_type


def _store(
    dicom: Dicom, request: Request, version: str, body: StowBody, action: Action
) -> Response:
    try:
        web, media_type = _storing(dicom, request, version)
        store, study = web.resource_path.store, web.path.get("study")
        result = stow.store(dicom, store, body.parts(), study, action)
    except StoreGoneError as error:
        raise not_found(str(error)) from error
    finally:
        body.discard()  # stored files are detached already
    in_xml = media_type == native_xml.MEDIA_TYPE
    model = stow.answer(result, web.root, in_xml=in_xml)
    if in_xml:
        return plain(native_xml.document(model), media_type, result.status)
    return plain(json_bytes(model), DICOM_JSON, result.status)
