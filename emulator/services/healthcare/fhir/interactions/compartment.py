"""Resources of a patient: `Patient/$everything`.

Documented (the reference of `Patient-everything`): the patient, what it refers to, and what refers
to it by a parameter of the patient compartment; `_since`, `_type`, `start` and `end`. Inferred
(conformance: fhir-everything): a resource counts in a range by its search parameter `date`, and
one without a date is in every range; the order, which is that of creation.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import definitions, instants, periods
from emulator.services.healthcare.fhir.interactions import instance, paging
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import bad_resource_type, invalid_query
from emulator.services.healthcare.fhir.resources.models import Version

PATIENT = "Patient"
_INDEX = re.compile(r"\[[^]]*\]")
_TYPED = re.compile(r":(\w)(\w*)")
_TARGET = re.compile(r">\w+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DATES = ("date", "recorded-date", "authoredon", "period")
"""Search parameters that date a resource, the first one that its type has."""


def everything(request: FhirRequest) -> Response:
    """Return the resources of a patient's compartment, page by page."""
    patient = instance.current(request)
    types = types_of(request)
    since = request.parameter("_since")
    first = instants.version_of(instance.instant_of("_since", since)) if since else 0
    start, end = _day(request, "start", 0), _day(request, "end", 1)
    found = [
        version
        for version in _members(request, patient)
        if version.version >= first
        and (not types or version.type in types)
        and _is_in_range(version, start, end)
    ]
    return page_of(request, found)


def page_of(request: FhirRequest, found: list[Version]) -> Response:
    """Return a page of the versions that were found, which are in the order of their rows."""
    after, count = paging.last_key(request, 0), paging.count(request)
    rest = [version for version in found if version.number > after]
    page = rest[:count]
    following = page[-1].number if len(rest) > count else None
    entries = [entry_of(request, version.name, version.resource()) for version in page]
    return json_response(paging.bundle(request, "searchset", entries, following, len(found)))


def entry_of(request: FhirRequest, name: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a searchset."""
    return {
        "fullUrl": f"{request.root}/{name}",
        "resource": dict(resource),
        "search": {"mode": "match"},
    }


def types_of(request: FhirRequest) -> set[str]:
    """Return the resource types of the parameter `_type`; raises 400 for others."""
    found = {part for part in request.parameter("_type").split(",") if part}
    for type_ in found - definitions.resource_types():
        raise bad_resource_type(type_)
    return found


def _members(request: FhirRequest, patient: Version) -> list[Version]:
    rows = request.fhir.resources.select(
        "SELECT t.*, '' AS path FROM fhir_references f JOIN fhir_resources t ON t.store = f.store"
        " AND t.type = f.target_type AND t.id = f.target_id WHERE f.resource = ?1"
        " UNION SELECT r.*, f.path FROM fhir_references f JOIN fhir_resources r"
        " ON r.number = f.resource WHERE f.store = ?2 AND f.target_type = ?3 AND f.target_id = ?4",
        (patient.number, request.store, patient.type, patient.id),
    )
    found = {patient.number: patient}
    for row in rows:
        if not row["path"] or _element(row["path"]) in _inclusions().get(row["type"], ()):
            found[row["number"]] = Version.of(row)
    return [found[number] for number in sorted(found)]


@cache
def _inclusions() -> Mapping[str, frozenset[str]]:
    """Return the elements that put a resource into the compartment, by resource type."""
    table = definitions.table()
    return {
        type_: frozenset(
            path
            for parameter in parameters.split()
            if parameter in table["search"].get(type_, {})
            for path in _paths(table["search"][type_][parameter])
        )
        for type_, parameters in table["compartments"][PATIENT].items()
    }


def _paths(text: str) -> Iterator[str]:
    """Yield the elements of a search parameter, as they are in JSON."""
    for path in text.split(" ")[1].split("|"):
        plain = _TARGET.sub("", _INDEX.sub("", path))
        yield _TYPED.sub(lambda match: match[1].upper() + match[2], plain)


def _element(path: str) -> str:
    """Return the element of a reference: `actor` of `Appointment.participant[0].actor`."""
    return _INDEX.sub("", path).partition(".")[2]


def _day(request: FhirRequest, name: str, edge: int) -> datetime | None:
    text = request.parameter(name)
    if not text:
        return None
    period = periods.parse(text) if _DAY.fullmatch(text) else None
    if period is None:
        raise invalid_query(f'invalid {name} "{text}": YYYY-MM-DD')
    return period[edge]


def _is_in_range(version: Version, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    dates = list(_periods(version))
    return not dates or any(
        (start is None or last > start) and (end is None or first < end) for first, last in dates
    )


def _periods(version: Version) -> Iterator[tuple[datetime, datetime]]:
    parameters = definitions.table()["search"].get(version.type, {})
    name = next((name for name in _DATES if name in parameters), "")
    resource = version.resource() if name else {}
    for path in _paths(parameters[name]) if name else ():
        for value in _values(resource, path):
            if period := _period(value):
                yield period


def _values(resource: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Yield the values of an element of a resource, of any type of a choice."""
    for key, value in resource.items():
        is_choice = key.startswith(path) and key[len(path) : len(path) + 1].isupper()
        if key == path or is_choice:
            yield from value if isinstance(value, list) else [value]


def _period(value: Any) -> tuple[datetime, datetime] | None:
    if isinstance(value, str):
        return periods.parse(value)
    if not isinstance(value, Mapping):
        return None
    first = periods.parse(str(value.get("start", "0001")))
    last = periods.parse(str(value.get("end", "9998")))
    return (first[0], last[1]) if first and last else None
