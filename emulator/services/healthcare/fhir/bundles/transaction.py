"""Transactions: all requests of a bundle or none, with references between its entries.

Documented (http://hl7.org/fhir/R4/http.html#trules): the order of execution, that entries refer to
each other by `fullUrl`, and that references may be conditional.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.services.healthcare.fhir.bundles.entries import GET, ORDER, Entry
from emulator.services.healthcare.fhir.bundles.execution import execute
from emulator.services.healthcare.fhir.interactions.request import FhirRequest
from emulator.services.healthcare.fhir.references import Form, references
from emulator.services.healthcare.fhir.refusals import invalid, precondition_failed
from emulator.services.healthcare.fhir.resources import conditions
from emulator.services.healthcare.fhir.resources.changes import POST, PUT, Changes
from emulator.services.healthcare.fhir.resources.writes import Written


def run(request: FhirRequest, entries: Sequence[Entry]) -> list[Written]:
    """Execute all entries in one transaction; return their results in the order of the bundle.

    Raises:
        OutcomeError: one of them is refused, and none is executed
    """
    results: dict[int, Written] = {}
    with request.fhir.changing(request.settings) as changes:
        targets = {entry.index: _target(changes, entry) for entry in entries}
        _check_distinct(entries, targets)
        names = {
            entry.full_url: targets[entry.index]
            for entry in entries
            if entry.full_url and entry.method != GET
        }
        for entry in entries:
            if entry.resource is not None and entry.method in (POST, PUT):
                _resolve(changes, entry, names)
        for method in ORDER:
            for entry in entries:
                if entry.method == method:
                    new_id = targets[entry.index].partition("/")[2]
                    results[entry.index] = execute(request, changes, entry, new_id)
    return [results[entry.index] for entry in entries]


def _target(changes: Changes, entry: Entry) -> str:
    """Return the name of the resource that an entry reads or writes, such as `Patient/1`."""
    if entry.id:
        return f"{entry.type}/{entry.id}"
    query = entry.query
    if entry.method == POST:
        query = conditions.parse_query(f"?{entry.header('ifNoneExist').lstrip('?')}")
    found = None
    if query:
        store = changes.settings.name
        found = conditions.find_by_identifier(changes.connection, store, entry.type, query)
    if found is not None:
        return found.name
    chosen = (entry.resource or {}).get("id") if entry.method == PUT else None
    return f"{entry.type}/{chosen or uuid.uuid4()}"


def _check_distinct(entries: Sequence[Entry], targets: Mapping[int, str]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = targets[entry.index]
        if entry.method != GET and name in seen:
            raise invalid(
                "invalid_bundle",
                f"the transaction changes {name} twice",
                f"Bundle.entry[{entry.index}]",
            )
        if entry.method != GET:
            seen.add(name)


def _resolve(changes: Changes, entry: Entry, names: Mapping[str, str]) -> None:
    """Replace references to other entries, and conditional ones, by local ones."""
    resource = entry.resource
    assert resource is not None
    for reference in references(resource):
        if reference.value in names:
            reference.element["reference"] = names[reference.value]
        elif reference.form is Form.CONDITIONAL:
            reference.element["reference"] = _match(changes, reference.value)
    _replace_urns(resource, names)


def _match(changes: Changes, value: str) -> str:
    type_, _, query = value.partition("?")
    found = conditions.find_by_identifier(
        changes.connection, changes.settings.name, type_, conditions.parse_query(f"?{query}")
    )
    if found is None:
        raise precondition_failed(f"no {type_} matches a conditional reference")
    return found.name


def _replace_urns(value: Any, names: Mapping[str, str]) -> None:
    """Replace values of the type uri that name an entry by its URN, as the rules of R4 have it."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in list(members):
        if isinstance(member, (dict, list)):
            _replace_urns(member, names)
        elif isinstance(member, str) and member.startswith("urn:") and member in names:
            value[key] = names[member]
