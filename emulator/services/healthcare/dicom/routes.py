"""Paths of the DICOM stores beside those that every store has.

https://cloud.google.com/healthcare-api/docs/dicom
"""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.rest import VERSIONS
from emulator.core.route_tree import LazyRoute
from emulator.services.healthcare.dicom import responses
from emulator.services.healthcare.dicom.dicomweb import handlers, patch_handler, store_handler
from emulator.services.healthcare.dicom.dicomweb.request import Handler, endpoint
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.parsing.attributes import Level
from emulator.services.healthcare.dicom.service import Dicom

_BETA = "v1beta1"
_STORE = "/projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{store:id}"
_WEB = f"{_STORE}/dicomWeb"
_STUDY = f"{_WEB}/studies/{{study:id}}"
_SERIES = f"{_STUDY}/series/{{series:id}}"
_INSTANCE = f"{_SERIES}/instances/{{instance:id}}"
_FRAMES = f"{_INSTANCE}/frames/{{frames}}"


def routes(dicom: Dicom) -> Iterator[Route]:
    """Every route; verbs behind a colon come before the names they are attached to."""
    route = partial(rest.routes, dicom)
    yield from route("POST", f"{_STORE}:import", responses.import_data)
    yield from route("POST", f"{_STORE}:export", responses.export_data)
    yield from route("GET", f"{_STORE}:getDICOMStoreMetrics", responses.metrics)
    yield from route("GET", f"{_STUDY}:getStudyMetrics", responses.metrics)
    yield from route("GET", f"{_SERIES}:getSeriesMetrics", responses.metrics)
    yield from route("GET", f"{_INSTANCE}:getStorageInfo", responses.storage_info)
    for resource in (_STORE, _STUDY, _SERIES):
        yield from route(
            "POST", f"{resource}:setBlobStorageSettings", responses.set_blob_storage_settings
        )
    for version in VERSIONS:
        yield from _web_routes(dicom, version)


def _web_routes(dicom: Dicom, version: str) -> Iterator[Route]:
    def route(method: str, path: str, handler: Handler) -> Route:
        return LazyRoute(f"/{version}{path}", endpoint(dicom, handler, version), method)

    studies, series, instances = (
        partial(handlers.search, level) for level in (Level.STUDY, Level.SERIES, Level.INSTANCE)
    )
    yield route("GET", f"{_WEB}/studies", studies)
    yield route("GET", f"{_WEB}/series", series)
    yield route("GET", f"{_WEB}/instances", instances)
    yield route("GET", f"{_STUDY}/series", series)
    yield route("GET", f"{_STUDY}/instances", instances)
    yield route("GET", f"{_SERIES}/instances", instances)
    for resource in (_STUDY, _SERIES, _INSTANCE):
        yield route("GET", f"{resource}/metadata", handlers.metadata)
        yield route("GET", resource, handlers.retrieve)
        yield route("DELETE", resource, handlers.delete)
    yield route("GET", f"{_INSTANCE}/rendered", handlers.rendered)
    yield route("GET", f"{_FRAMES}/rendered", handlers.rendered)
    yield route("GET", _FRAMES, handlers.frames)
    yield route("GET", f"{_INSTANCE}/bulkdata/{{where:path}}", handlers.bulk_value)
    for path in (f"{_WEB}/studies", _STUDY):
        store = store_handler.endpoint(dicom, version, Action.STORED)
        yield LazyRoute(f"/{version}{path}", store, "POST")
    if version == _BETA:
        yield from _update_routes(dicom, version)


def _update_routes(dicom: Dicom, version: str) -> Iterator[Route]:
    """Yield the routes that change stored instances, which v1 does not have."""
    for path in (f"{_WEB}/studies", _STUDY):
        update = store_handler.endpoint(dicom, version, Action.UPDATED)
        yield LazyRoute(f"/{version}{path}", update, "PUT")
    for resource in (_STUDY, _SERIES, _INSTANCE):
        patch = patch_handler.endpoint(dicom, version)
        yield LazyRoute(f"/{version}{resource}/metadata", patch, "PATCH")
