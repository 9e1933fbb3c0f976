"""Versions of resources as entries of a history, in answers and in files.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/fhir-bundles): history bundles are
an extension of Google's. Inferred (conformance: fhir-history-bundle): `meta.lastUpdated`, or
`response.lastModified` of a deletion, orders a version; its id follows from that time.
"""

from collections.abc import Mapping
from typing import Any

from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.refusals import invalid, unparseable
from emulator.services.healthcare.fhir.resources import parsing
from emulator.services.healthcare.fhir.resources.changes import DELETE, PATCH, POST, PUT
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.store_settings import StoreSettings

_STATUS = {POST: "201 Created", PUT: "200 OK", PATCH: "200 OK", DELETE: "200 OK"}


def entry_of(root: str, version: Version) -> dict[str, Any]:
    """Return a version as an entry of a history.

    Args:
        root: URL of the store's FHIR service
        version: of a resource
    """
    url = version.type if version.method == POST else version.name
    entry: dict[str, Any] = {
        "fullUrl": f"{root}/{version.name}",
        "request": {"method": version.method, "url": url},
        "response": {
            "status": _STATUS[version.method],
            "etag": version.etag,
            "lastModified": instants.last_updated(version.version),
        },
    }
    if not version.is_deletion:
        entry["resource"] = version.resource()
    return entry


def version_of(settings: StoreSettings, index: int, entry: Any) -> Version:
    """Return the version of an entry of a history.

    Args:
        settings: of the store
        index: of the entry in its bundle, for the refusal
        entry: from JSON

    Raises:
        OutcomeError: 400, the entry is not a version that the store may hold
    """
    where = f"Bundle.entry[{index}]"
    entry = entry if isinstance(entry, Mapping) else {}
    asked, resource = entry.get("request", {}), entry.get("resource")
    method = str(asked.get("method", "PUT")) if isinstance(asked, Mapping) else ""
    if method not in _STATUS:
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
    parsing.check_resource(resource, "", settings)
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
