"""Interactions with one resource: read, vread, update, patch, delete, history, purge.

Inferred (conformance: fhir-vread-text, fhir-history, fhir-purge): the answers where versions are
disabled or missing, and the entries of a history.
"""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from emulator.core.rest import JsonResponse
from emulator.services.healthcare.fhir import instants, periods
from emulator.services.healthcare.fhir.interactions import paging
from emulator.services.healthcare.fhir.interactions.representation import (
    read_response,
    written_response,
)
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import (
    deleted,
    invalid_query,
    missing,
    unsupported,
)
from emulator.services.healthcare.fhir.resources import history_entries, parsing, writes
from emulator.services.healthcare.fhir.resources.version import Version

JSON_PATCH = frozenset({"application/json-patch+json"})
"""Documented: the media type that a patch must have."""


def read(request: FhirRequest) -> Response:
    """Return the current version of a resource."""
    return read_response(request, current(request))


def vread(request: FhirRequest) -> Response:
    """Return a version of a resource."""
    type_, id_ = request.type, request.id
    _require_versions(request)
    number = instants.parse_version_id(request.path["version"])
    name = f"{type_}/{id_}/_history/{request.path['version']}"
    resources = request.fhir.resources
    found = number and resources.find_version(request.store, type_, id_, number)
    if not found:
        request.access.check_missing(type_, id_)
        raise missing(name)
    request.access.check(found)
    if found.is_deletion:
        raise deleted(name)
    return read_response(request, found)


def update(request: FhirRequest) -> Response:
    """Replace a resource, or create it by the id of the path."""
    type_, id_, resource = request.type, request.id, request.resource()
    with request.fhir.changing(request.settings) as changes:
        written = writes.update(
            changes,
            type_,
            id_,
            resource,
            if_match=request.header("if-match"),
            if_none_match=request.header("if-none-match"),
        )
    return written_response(request, written)


def patch(request: FhirRequest) -> Response:
    """Change a resource by a JSON Patch."""
    type_, id_, operations = request.type, request.id, patch_of(request)
    with request.fhir.changing(request.settings) as changes:
        written = writes.patch(changes, type_, id_, operations, if_match=request.header("if-match"))
    return written_response(request, written)


def delete(request: FhirRequest) -> Response:
    """Delete a resource."""
    type_, id_ = request.type, request.id
    with request.fhir.changing(request.settings) as changes:
        written = writes.delete(changes, type_, id_, if_match=request.header("if-match"))
    return written_response(request, written)


def purge(request: FhirRequest) -> Response:
    """Delete the earlier versions of a resource."""
    type_, id_ = request.type, request.id
    with request.fhir.changing(request.settings) as changes:
        if changes.find(type_, id_) is None and not changes.was_deleted(type_, id_):
            raise missing(f"{type_}/{id_}")
        changes.purge(type_, id_)
    return JsonResponse({})


def history(request: FhirRequest) -> Response:
    """Return the versions of a resource, the newest first."""
    type_, id_ = request.type, request.id
    _require_versions(request)
    since, until = _range(request)
    count = paging.count(request)
    before = paging.last_key(request, instants.MAX_VERSION)
    versions = request.fhir.resources.history(request.store, type_, id_, before, count + 1)
    if not versions and before == instants.MAX_VERSION:
        request.access.check_missing(type_, id_)
        raise missing(f"{type_}/{id_}")
    page = versions[:count]
    permitted = [each for each in page if request.access.permits(each)]
    if page and not permitted:
        request.access.check(page[0])
    chosen = [each for each in permitted if since <= each.version < until]
    following = page[-1].version if len(versions) > count else None
    entries = [history_entries.entry_of(request.root, each) for each in chosen]
    return json_response(paging.bundle(request, "history", entries, following))


def current(request: FhirRequest) -> Version:
    """Return the current version of the resource in the path.

    Raises:
        OutcomeError: 404, 410 for one that was deleted, or 403 for one that consents deny
    """
    type_, id_ = request.type, request.id
    found = request.fhir.resources.find(request.store, type_, id_)
    if found is not None:
        request.access.check(found)
        return found
    request.access.check_missing(type_, id_)
    last = request.fhir.resources.history(request.store, type_, id_, instants.MAX_VERSION, 1)
    name = f"{type_}/{id_}"
    raise deleted(name) if last else missing(name)


def patch_of(request: FhirRequest) -> Any:
    """Return the operations of a JSON Patch; raises 415 or 400."""
    request.check_media_type(JSON_PATCH)
    return parsing.parse_patch(request.body)


def _require_versions(request: FhirRequest) -> None:
    if not request.settings.keeps_versions:
        raise unsupported("the store has no history: its disable_resource_versioning is true")


def _range(request: FhirRequest) -> tuple[int, int]:
    """Return the first version of a history, and the one that its versions come before."""
    low, high = 0, instants.MAX_VERSION
    if text := request.parameter("_since"):
        low = instants.version_of(instant_of("_since", text))
    if text := request.parameter("_at"):
        period = periods.parse(text)
        if period is None:
            raise invalid_query(f'error parsing date "{text}": invalid dateTime: {text}')
        start, end = period
        low, high = max(low, instants.version_of(start)), instants.version_of(end)
    return low, high


def instant_of(name: str, text: str) -> datetime:
    """Return the instant of a parameter; raises 400."""
    instant = instants.parse_instant(text)
    if instant is None:
        raise invalid_query(f'invalid {name} "{text}": YYYY-MM-DDThh:mm:ss.sss+zz:zz')
    return instant
