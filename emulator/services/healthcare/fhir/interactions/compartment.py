"""Resources of a patient or an encounter: `$everything`.

Documented (the references of `Patient-everything` and `Encounter-everything`): the resource, what
it refers to, and what refers to it by a parameter of its compartment, or to an encounter by the
extension `ASSOCIATED_ENCOUNTER`; `_since`, `_type`, and of a patient `start` and `end`. Inferred
(conformance: fhir-everything): a resource counts in a range by its search parameter `date`, and
one without a date is in every range; the order, which is that of creation.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import compartments, definitions, instants, periods
from emulator.services.healthcare.fhir.compartments import ENCOUNTER, PATIENT
from emulator.services.healthcare.fhir.interactions import instance, paging
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import bad_resource_type, invalid_query
from emulator.services.healthcare.fhir.resources.models import ResourceStore
from emulator.services.healthcare.fhir.resources.version import Version

ASSOCIATED_ENCOUNTER = "http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DATES = ("date", "recorded-date", "authoredon", "period")
"""Search parameters that date a resource, the first one that its type has."""


def everything(request: FhirRequest) -> Response:
    """Return the resources of a compartment, page by page."""
    centre = instance.current(request)
    types = types_of(request)
    since = request.parameter("_since")
    first = instants.version_of(instance.instant_of("_since", since)) if since else 0
    is_patient = centre.type == PATIENT
    start = _day(request, "start", 0) if is_patient else None
    end = _day(request, "end", 1) if is_patient else None
    found = [
        version
        for version in members(request.fhir.resources, request.store, centre)
        if version.version >= first
        and request.access.permits(version)
        and (not types or version.type in types)
        and _is_in_range(version, start, end)
    ]
    return page_of(request, found)


def page_of(
    request: FhirRequest,
    found: list[Version],
    represent: Callable[[Version], Mapping[str, Any]] = Version.resource,
) -> Response:
    """Return a page of the versions that were found, which are in the order of their rows."""
    after, count = paging.last_key(request, 0), paging.count(request)
    rest = [version for version in found if version.number > after]
    page = rest[:count]
    following = page[-1].number if len(rest) > count else None
    entries = [entry_of(request, version.name, represent(version)) for version in page]
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


def members(resources: ResourceStore, store: str, centre: Version) -> list[Version]:
    """Return the resources of a compartment, in the order of their rows.

    Args:
        resources: of all stores
        store: the full name
        centre: the patient or encounter, which is one of them
    """
    rows = resources.select(
        "SELECT t.*, '' AS path FROM fhir_references f JOIN fhir_resources t ON t.store = f.store"
        " AND t.type = f.target_type AND t.id = f.target_id WHERE f.resource = ?1"
        " UNION SELECT r.*, f.path FROM fhir_references f JOIN fhir_resources r"
        " ON r.number = f.resource WHERE f.store = ?2 AND f.target_type = ?3 AND f.target_id = ?4",
        (centre.number, store, centre.type, centre.id),
    )
    found = {centre.number: centre}
    wanted = compartments.inclusions(centre.type)
    for row in rows:
        element = compartments.element_of(row["path"])
        if not element or element in wanted.get(row["type"], ()):
            found[row["number"]] = Version.of(row)
    if centre.type == ENCOUNTER:
        for each in _associated(resources, store, centre):
            found[each.number] = each
    return [found[number] for number in sorted(found)]


def _associated(resources: ResourceStore, store: str, encounter: Version) -> Iterator[Version]:
    """Yield the resources that refer to an encounter by the extension."""
    rows = resources.select(
        "SELECT * FROM fhir_resources WHERE store = ? AND INSTR(body, ?)",
        (store, ASSOCIATED_ENCOUNTER.encode()),
    )
    for version in map(Version.of, rows):
        for extension in version.resource().get("extension", []):
            reference = extension.get("valueReference", {}).get("reference")
            if extension.get("url") == ASSOCIATED_ENCOUNTER and reference == encounter.name:
                yield version


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
    for path in compartments.paths_of(parameters[name]) if name else ():
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
