"""Requests of a bundle, executed one by one in a transaction."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.bundles.entries import Entry
from emulator.services.healthcare.fhir.interactions.representation import location
from emulator.services.healthcare.fhir.interactions.request import FhirRequest
from emulator.services.healthcare.fhir.outcome import operation_outcome
from emulator.services.healthcare.fhir.refusals import OutcomeError, deleted, missing
from emulator.services.healthcare.fhir.resources import writes
from emulator.services.healthcare.fhir.resources.changes import Changes
from emulator.services.healthcare.fhir.resources.conditions import version_id_of
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.resources.writes import Written


def execute(request: FhirRequest, changes: Changes, entry: Entry, new_id: str = "") -> Written:
    """Execute a request.

    Args:
        request: the call that carries the bundle
        changes: of the transaction
        entry: the request
        new_id: of the resource that a create makes; by default a new one

    Raises:
        OutcomeError: the request is refused
    """
    try:
        return _execute(request, changes, entry, new_id)
    except OutcomeError as refused:
        raise entry.located(refused) from None


def _execute(request: FhirRequest, changes: Changes, entry: Entry, new_id: str) -> Written:
    match entry.method:
        case "GET":
            status, version = _read(request, changes, entry)
            request.access.check(version)
            return Written(status, version)
        case "POST":
            condition = entry.header("ifNoneExist")
            return writes.create(changes, entry.type, entry.body(), condition, new_id)
        case "PUT" if entry.id:
            return writes.update(
                changes,
                entry.type,
                entry.id,
                entry.body(),
                if_match=entry.header("ifMatch"),
                if_none_match=entry.header("ifNoneMatch"),
            )
        case "PUT":
            given = {**entry.body(), **({"id": new_id} if new_id else {})}
            match_ = entry.header("ifMatch")
            return writes.conditional_update(
                changes, entry.type, entry.query, given, if_match=match_
            )
        case "PATCH" if entry.id:
            match_ = entry.header("ifMatch")
            return writes.patch(changes, entry.type, entry.id, entry.patch(), if_match=match_)
        case "PATCH":
            return writes.conditional_patch(changes, entry.type, entry.query, entry.patch())
        case _ if entry.id:
            return writes.delete(changes, entry.type, entry.id, if_match=entry.header("ifMatch"))
    return writes.conditional_delete(changes, entry.type, entry.query)


def response_entry(request: FhirRequest, entry: Entry, written: Written) -> dict[str, Any]:
    """Return the entry of an answer about a request that succeeded.

    Inferred (conformance: fhir-bundle): resources are in the answers of reads, of writes only if
    Prefer asks for them.
    """
    response: dict[str, Any] = {"status": status_text(written.status)}
    version = written.version
    if version is None:
        return {"response": response}
    response |= {
        "etag": version.etag,
        "lastModified": instants.last_updated(version.version),
        "location": location(request.root, version),
    }
    found: dict[str, Any] = {"response": response}
    is_read = entry.method == "GET" and written.status == HTTPStatus.OK
    if is_read or (entry.method != "GET" and request.prefers() == "representation"):
        found["fullUrl"] = f"{request.root}/{version.name}"
        found["resource"] = version.resource()
    return found


def refused_entry(refused: OutcomeError) -> Mapping[str, Any]:
    """Return the entry of an answer about a request that was refused."""
    outcome = operation_outcome(refused.issues)
    return {"response": {"status": status_text(refused.status), "outcome": outcome}}


def status_text(status: int) -> str:
    """Return an HTTP status with its phrase, such as `201 Created`."""
    return f"{status} {HTTPStatus(status).phrase}"


def _read(request: FhirRequest, changes: Changes, entry: Entry) -> tuple[int, Version]:
    if not entry.version:
        if changes.find(entry.type, entry.id) is None:
            request.access.check_missing(entry.type, entry.id)
        found = writes.require(changes, entry.type, entry.id)
        known = entry.header("ifNoneMatch")
        return 304 if known and version_id_of(known) == found.version_id else 200, found
    name = f"{entry.type}/{entry.id}/_history/{entry.version}"
    number = instants.parse_version_id(entry.version)
    resources = request.fhir.resources
    version = number and resources.find_version(request.store, entry.type, entry.id, number)
    if not version:
        request.access.check_missing(entry.type, entry.id)
        raise missing(name)
    if version.is_deletion:
        request.access.check(version)
        raise deleted(name)
    return 200, version
