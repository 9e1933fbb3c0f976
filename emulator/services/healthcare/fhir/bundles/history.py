"""History bundles: versions of resources, inserted where they were made.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/fhir-bundles): an extension of
Google's, behind `enableHistoryModifications`, of at most 100 entries. Inferred (conformance:
fhir-history-bundle): `meta.lastUpdated`, or `response.lastModified` of a deletion, orders a
version; its id follows from that time.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import (
    invalid,
    unparseable,
    unsupported,
)
from emulator.services.healthcare.fhir.resources import parsing
from emulator.services.healthcare.fhir.resources.changes import DELETE, PATCH, POST, PUT
from emulator.services.healthcare.fhir.resources.version import Version

MAX_ENTRIES = 100
_METHODS = (POST, PUT, PATCH, DELETE)


def execute(request: FhirRequest, entries: list[Any]) -> Response:
    """Insert the versions of a history bundle, all or none."""
    if not request.settings.takes_history:
        raise unsupported(
            "history bundles need enable_history_modifications of the store to be true"
        )
    if not request.settings.keeps_versions:
        raise unsupported("the store has no history: its disable_resource_versioning is true")
    if len(entries) > MAX_ENTRIES:
        text = f"a history bundle has at most {MAX_ENTRIES} entries, got {len(entries)}"
        raise invalid("invalid_bundle", text, "Bundle.entry")
    versions = [_version(request, index, entry) for index, entry in enumerate(entries)]
    with request.fhir.changing(request.settings) as changes:
        for version in versions:
            changes.insert(version)
    answers = [{"response": {"status": "201 Created"}} for _ in versions]
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    return json_response({**found, **({"entry": answers} if answers else {})})


def _version(request: FhirRequest, index: int, entry: Any) -> Version:
    where = f"Bundle.entry[{index}]"
    entry = entry if isinstance(entry, Mapping) else {}
    asked, resource = entry.get("request", {}), entry.get("resource")
    method = asked.get("method", "PUT") if isinstance(asked, Mapping) else ""
    if method not in _METHODS:
        raise unparseable(f"the method {method!r} is not one of a history", f"{where}.request")
    if method == DELETE:
        type_, _, id_ = str(asked.get("url", "")).partition("/")
        response = entry.get("response")
        moment = response.get("lastModified") if isinstance(response, Mapping) else None
        number = _number(moment, f"{where}.response.lastModified")
        parsing.check_id(id_)
        return Version(0, parsing.check_type(type_), id_, number, method, b"")
    if not isinstance(resource, dict):
        raise unparseable('missing required field "resource"', where)
    parsing.check_resource(resource, "", request.settings)
    id_ = parsing.check_id(str(resource.get("id", "")))
    meta = resource.get("meta", {})
    number = _number(meta.get("lastUpdated", ""), f"{where}.resource.meta.lastUpdated")
    stored = {**resource, "meta": {**meta, "versionId": instants.version_id(number)}}
    body = json_text.dump(stored)
    return Version(0, resource["resourceType"], id_, number, method, body)


def _number(text: Any, where: str) -> int:
    instant = instants.parse_instant(text) if isinstance(text, str) else None
    if instant is None:
        raise unparseable("a version of a history needs the instant of its change", where)
    number = instants.version_of(instant)
    if not 0 < number <= instants.next_version():
        raise invalid("invalid_bundle", "a version of a history can't be in the future", where)
    return number
