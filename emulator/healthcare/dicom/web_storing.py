"""The request to store instances: its body is written to disk as it comes."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.errors import not_found
from emulator.healthcare.dicom import accept, native_xml, notifications, stow
from emulator.healthcare.dicom.accept import Offer
from emulator.healthcare.dicom.additions import StoreGoneError
from emulator.healthcare.dicom.parts import NewPart
from emulator.healthcare.dicom.receiving import MOST_HELD_BYTES, Body
from emulator.healthcare.dicom.web import DICOM_JSON, MODELS, Web, json_bytes, plain, web_of

STORED_MODELS = [Offer(native_xml.KIND, parts=False), *MODELS[:2]]
"""Forms of the answer to a request to store, the default first."""


def endpoint(version: str) -> Callable[[Request], Any]:
    """Serve the storing of instances."""

    async def serve(request: Request) -> Response:
        new_part = NewPart(request.app.state.cloud.dicom.contents.blobs.temporary)
        body = Body(request.headers.get("content-type", ""), new_part)
        if not _is_small(request):  # what is, costs no change of threads before it is refused
            await run_in_threadpool(_storing, request, version)
        try:
            await body.receive(request.stream())
        except BaseException:
            body.abandon()
            raise
        return await run_in_threadpool(_store, request, version, body)

    return serve


def _is_small(request: Request) -> bool:
    declared = request.headers.get("content-length", "")
    return declared.isdecimal() and int(declared) < MOST_HELD_BYTES


def _storing(request: Request, version: str) -> tuple[Web, str]:
    """Give a request to store and the form of its answer, or refuse it."""
    web = web_of(request, version)
    return web, accept.choose(web.accept, STORED_MODELS).kind


def _store(request: Request, version: str, body: Body) -> Response:
    try:
        web, kind = _storing(request, version)
        result = stow.store(web.cloud.dicom, web.place.store, body.parts(), web.path.get("study"))
    except StoreGoneError as error:
        raise not_found(str(error)) from error
    finally:
        body.abandon()  # what was stored has been taken over
    notifications.tell(web.cloud, web.place.store, result.new, notifications.STORED)
    in_xml = kind == native_xml.KIND
    model = stow.answer(result, web.root, in_xml=in_xml)
    if in_xml:
        return plain(native_xml.document(model), kind, result.status)
    return plain(json_bytes(model), DICOM_JSON, result.status)
