"""Paths of the FHIR stores beside those that every store has.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.fhirStores.fhir
"""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.rest import VERSIONS
from emulator.core.route_tree import LazyRoute
from emulator.services.healthcare.fhir import responses
from emulator.services.healthcare.fhir.bulk import requests as bulk
from emulator.services.healthcare.fhir.bundles.handler import execute_bundle
from emulator.services.healthcare.fhir.consents import application, policies, status
from emulator.services.healthcare.fhir.consents import responses as consents
from emulator.services.healthcare.fhir.interactions import (
    binary,
    capabilities,
    instance,
    search,
    type_level,
)
from emulator.services.healthcare.fhir.interactions.compartment import everything
from emulator.services.healthcare.fhir.interactions.incoming_references import (
    incoming_references,
)
from emulator.services.healthcare.fhir.interactions.lastn import last_observations
from emulator.services.healthcare.fhir.interactions.request import (
    MAX_BODY_BYTES,
    Handler,
    endpoint,
    typed,
)
from emulator.services.healthcare.fhir.interactions.translation import (
    search_translate,
    translate,
)
from emulator.services.healthcare.fhir.operations import (
    deletion,
    exporter,
    history_exporter,
    history_importer,
    importer,
    rollback,
    search_configuration,
)
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.store_service import starting

_STORE = "/projects/{project}/locations/{location}/datasets/{dataset}/fhirStores/{store:id}"
_FHIR = f"{_STORE}/fhir"
_TYPE = f"{_FHIR}/{{type:name}}"
_INSTANCE = f"{_TYPE}/{{id}}"
_BINARY = f"{_FHIR}/Binary/{{id}}"

_OPERATIONS = {
    "import": starting("ImportResourcesRequest", importer.begin),
    "export": starting("ExportResourcesRequest", exporter.begin),
    "bulkDelete": starting("BulkDeleteResourcesRequest", deletion.begin),
    "rollback": starting("RollbackFhirResourcesRequest", rollback.begin),
    "applyConsents": starting("ApplyConsentsRequest", application.begin),
    "applyAdminConsents": starting("ApplyAdminConsentsRequest", policies.begin),
}
_PREVIEWS = {
    "importHistory": starting("ImportResourcesHistoryRequest", history_importer.begin),
    "exportHistory": starting("ExportResourcesHistoryRequest", history_exporter.begin),
    "configureSearch": starting("ConfigureSearchRequest", search_configuration.begin),
}
"""Methods that only v1beta1 has."""


def routes(fhir: Fhir) -> Iterator[Route]:
    """Yield every route."""
    route = partial(rest.routes, fhir)
    yield from route("GET", f"{_STORE}:getFHIRStoreMetrics", responses.metrics)
    for verb, start in _OPERATIONS.items():
        yield from route("POST", f"{_STORE}:{verb}", start)
    for verb, start in _PREVIEWS.items():
        yield from route("POST", f"{_STORE}:{verb}", start, versions=("v1beta1",))
    yield from route("GET", f"{_STORE}:explainDataAccess", consents.explain_data_access)
    for version in VERSIONS:
        yield from _interactions(fhir, version)


def _interactions(fhir: Fhir, version: str) -> Iterator[Route]:
    def route(method: str, path: str, handler: Handler, max_bytes: int = MAX_BODY_BYTES) -> Route:
        serve = endpoint(fhir, handler, version, max_bytes)
        return LazyRoute(f"/{version}{path}", serve, method)

    yield route("GET", f"{_FHIR}/metadata", capabilities.capabilities)
    yield route("POST", _FHIR, execute_bundle)
    for path, handler in ((_FHIR, search.search_all), (_TYPE, search.search_type)):
        for written in (path, f"{path}/"):  # the links of Google's bundles have the slash
            yield route("GET", written, handler)
        yield route("POST", f"{path}/_search", handler)
    yield route("POST", f"{_FHIR}/Binary", typed(binary.TYPE, binary.create), binary.MAX_BYTES)
    yield route("PUT", _BINARY, typed(binary.TYPE, binary.update), binary.MAX_BYTES)
    yield route("GET", _BINARY, typed(binary.TYPE, binary.read))
    yield route("GET", f"{_BINARY}/_history/{{version}}", typed(binary.TYPE, binary.vread))
    yield route("GET", f"{_FHIR}/$export", bulk.export_all)
    yield route("GET", f"{_FHIR}/Group/{{id}}/$export", typed("Group", bulk.export_group))
    yield route("GET", f"{_STORE}/operations/{{operation}}", bulk.status)
    yield route("DELETE", f"{_STORE}/operations/{{operation}}", bulk.cancel)
    yield route("GET", f"{_FHIR}/Patient/{{id}}/$everything", typed("Patient", everything))
    for type_, handler in (("Consent", status.of_consent), ("Patient", status.of_patient)):
        path = f"{_FHIR}/{type_}/{{id}}/$consent-enforcement-status"
        yield route("GET", path, typed(type_, handler))
    if version == "v1beta1":
        yield route("GET", f"{_FHIR}/$references", incoming_references)
        yield route("GET", f"{_FHIR}/ConceptMap/$translate", search_translate)
        yield route("GET", f"{_FHIR}/Observation/$lastn", last_observations)
        of_encounter = typed("Encounter", everything)
        yield route("GET", f"{_FHIR}/Encounter/{{id}}/$everything", of_encounter)
        by_post = typed("Group", bulk.export_group_by_post)
        yield route("POST", f"{_FHIR}/Group/{{id}}/$export", by_post)
        by_id = typed("ConceptMap", translate)
        yield route("GET", f"{_FHIR}/ConceptMap/{{id}}/$translate", by_id)
    yield route("POST", f"{_TYPE}/$validate", type_level.validate)
    yield route("POST", _TYPE, type_level.create)
    yield route("PUT", _TYPE, type_level.conditional_update)
    yield route("PATCH", _TYPE, type_level.conditional_patch)
    yield route("DELETE", _TYPE, type_level.conditional_delete)
    yield route("GET", _INSTANCE, instance.read)
    yield route("PUT", _INSTANCE, instance.update)
    yield route("PATCH", _INSTANCE, instance.patch)
    yield route("DELETE", _INSTANCE, instance.delete)
    yield route("DELETE", f"{_INSTANCE}/$purge", instance.purge)
    yield route("GET", f"{_INSTANCE}/_history", instance.history)
    yield route("GET", f"{_INSTANCE}/_history/{{version}}", instance.vread)
