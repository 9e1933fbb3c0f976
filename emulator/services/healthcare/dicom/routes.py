"""Paths of the DICOM stores beside those that every store has.

https://cloud.google.com/healthcare-api/docs/dicom
"""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.healthcare.dicom import responses, web, web_storing
from emulator.healthcare.dicom.attributes import Level
from emulator.http import VERSIONS
from emulator.http import routes as versions

_STORE = "/projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{store}"
_WEB = f"{_STORE}/dicomWeb"
_STUDY = f"{_WEB}/studies/{{study}}"
_SERIES = f"{_STUDY}/series/{{series}}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
_FRAMES = f"{_INSTANCE}/frames/{{frames}}"


def routes() -> Iterator[Route]:
    """Every route; verbs behind a colon come before the names they are attached to."""
    yield from versions("POST", f"{_STORE}:import", responses.import_data)
    yield from versions("POST", f"{_STORE}:export", responses.export_data)
    yield from versions("GET", f"{_STORE}:getDICOMStoreMetrics", responses.metrics)
    yield from versions("GET", f"{_STUDY}:getStudyMetrics", responses.metrics)
    yield from versions("GET", f"{_SERIES}:getSeriesMetrics", responses.metrics)
    yield from versions("GET", f"{_INSTANCE}:getStorageInfo", responses.storage_info)
    for resource in (_STORE, _STUDY, _SERIES):
        yield from versions(
            "POST", f"{resource}:setBlobStorageSettings", responses.set_blob_storage_settings
        )
    for version in VERSIONS:
        yield from _web_routes(version)


def _web_routes(version: str) -> Iterator[Route]:
    def route(method: str, path: str, handler: web.Handler) -> Route:
        return Route(f"/{version}{path}", web.endpoint(handler, version), methods=[method])

    studies, series, instances = (
        partial(web.search, level) for level in (Level.STUDY, Level.SERIES, Level.INSTANCE)
    )
    yield route("GET", f"{_WEB}/studies", studies)
    yield route("GET", f"{_WEB}/series", series)
    yield route("GET", f"{_WEB}/instances", instances)
    yield route("GET", f"{_STUDY}/series", series)
    yield route("GET", f"{_STUDY}/instances", instances)
    yield route("GET", f"{_SERIES}/instances", instances)
    for resource in (_STUDY, _SERIES, _INSTANCE):
        yield route("GET", f"{resource}/metadata", web.metadata)
        yield route("GET", resource, web.retrieve)
        yield route("DELETE", resource, web.delete)
    yield route("GET", f"{_INSTANCE}/rendered", web.rendered)
    yield route("GET", f"{_FRAMES}/rendered", web.rendered)
    yield route("GET", _FRAMES, web.frames)
    yield route("GET", f"{_INSTANCE}/bulkdata/{{where:path}}", web.bulk_value)
    for path in (f"{_WEB}/studies", _STUDY):
        yield Route(f"/{version}{path}", web_storing.endpoint(version), methods=["POST"])
