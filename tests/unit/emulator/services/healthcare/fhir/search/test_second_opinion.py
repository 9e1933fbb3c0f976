"""Searches find what fhirpathpy finds at HL7's expressions in every resource.

The expressions are those of http://hl7.org/fhir/R4/searchparameter-registry.html. fhirpathpy reads
the values; this file compares them with a query by the rules of http://hl7.org/fhir/R4/search.html,
in the plainest way that it can. Later versions of FHIRPath, fhirpathpy's among them, take `ofType`
where R4's expressions have `as` after a list.
"""

import calendar
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

import fhirpathpy
import pytest
from fhirpathpy.models import models

from tests.support.fhir_index import Indexed

Resource = dict[str, Any]
RESOURCES, QUERIES = 25, 60
_ADDRESSES = "telecom.where(system='{}')"
PARAMETERS: dict[str, dict[str, tuple[str, str]]] = {
    "Patient": {
        "identifier": ("token", "Patient.identifier"),
        "active": ("token", "Patient.active"),
        "gender": ("token", "Patient.gender"),
        "family": ("string", "Patient.name.family"),
        "given": ("string", "Patient.name.given"),
        "name": ("string", "Patient.name"),
        "address": ("string", "Patient.address"),
        "address-city": ("string", "Patient.address.city"),
        "address-use": ("token", "Patient.address.use"),
        "email": ("token", f"Patient.{_ADDRESSES.format('email')}"),
        "phone": ("token", f"Patient.{_ADDRESSES.format('phone')}"),
        "telecom": ("token", "Patient.telecom"),
        "birthdate": ("date", "Patient.birthDate"),
        "death-date": ("date", "(Patient.deceased as dateTime)"),
        "deceased": ("token", "Patient.deceased.exists() and Patient.deceased != false"),
        "organization": ("reference", "Patient.managingOrganization"),
        "general-practitioner": ("reference", "Patient.generalPractitioner"),
        "language": ("token", "Patient.communication.language"),
        "link": ("reference", "Patient.link.other"),
    },
    "Observation": {
        "code": ("token", "Observation.code"),
        "combo-code": ("token", "Observation.code | Observation.component.code"),
        "component-code": ("token", "Observation.component.code"),
        "status": ("token", "Observation.status"),
        "category": ("token", "Observation.category"),
        "date": ("date", "Observation.effective"),
        "subject": ("reference", "Observation.subject"),
        # `where(resolve() is Patient)` of HL7's expression: fhirpathpy has no `resolve`.
        "patient": ("reference", "Observation.subject.where(reference.startsWith('Patient/'))"),
        "performer": ("reference", "Observation.performer"),
        "value-concept": ("token", "(Observation.value as CodeableConcept)"),
        "value-date": ("date", "(Observation.value as dateTime) | (Observation.value as Period)"),
        "value-string": ("string", "(Observation.value as string)"),
        "value-quantity": ("quantity", "(Observation.value as Quantity)"),
        "component-value-quantity": (
            "quantity",
            "Observation.component.value.ofType(Quantity)",
        ),
        "combo-value-quantity": (
            "quantity",
            "Observation.value.ofType(Quantity) | Observation.component.value.ofType(Quantity)",
        ),
    },
}
"""Resource type -> code -> type and expression of a search parameter."""


@cache
def _compiled(expression: str) -> Callable[[Resource], list[Any]]:
    found: Any = fhirpathpy.compile(expression, models["r4"])
    compiled: Callable[[Resource], list[Any]] = found
    return compiled


@dataclass
class Maker:
    """Makes resources of few values, so that they meet, and leaves members out at random."""

    draw: random.Random

    def pick(self, *values: Any) -> Any:
        return self.draw.choice(values)

    def some(self, **members: Callable[[], Any]) -> Resource:
        return {name: make() for name, make in members.items() if self.draw.random() < 0.6}

    def many(self, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.draw.randint(1, 3))]

    def coding(self) -> Resource:
        return self.some(system=lambda: self.pick("s", "t")) | {"code": self.pick("a", "b", "c")}

    def concept(self) -> Resource:
        return {"coding": self.many(self.coding)}

    def moment(self) -> str:
        day = self.pick("2019", "2020-02", "2020-02-29", "2020-03-01", "2021-12-31")
        if len(day) < 10 or self.draw.random() < 0.5:
            return str(day)
        return f"{day}T{self.pick('00:00:00Z', '23:59:59Z', '12:00:00.5+02:00')}"

    def period(self) -> Resource:
        ends = sorted([self.pick("2019-05-01", "2020-02-29"), self.pick("2020-02-28", "2021")])
        return {"start": ends[0], "end": ends[1]}

    def quantity(self) -> Resource:
        unit = {"system": "u", "code": self.pick("kg", "g")}
        return {"value": self.pick(1, 1.5, 2, 9.96, 10), **unit}

    def reference(self, *types: str) -> Resource:
        return {"reference": f"{self.pick(*types)}/{self.pick('x', 'y')}"}

    def value(self) -> Resource:
        makes: dict[str, Callable[[], Any]] = {
            "valueQuantity": self.quantity,
            "valueString": lambda: self.pick("Swollen", "swell", "pale"),
            "valueCodeableConcept": self.concept,
            "valueDateTime": self.moment,
            "valuePeriod": self.period,
        }
        name = self.pick(*makes)
        return {name: makes[name]()}

    def patient(self) -> Resource:
        name = self.some
        found = self.some(
            identifier=lambda: self.many(
                lambda: {**name(system=lambda: self.pick("s", "t")), "value": self.pick("1", "2")}
            ),
            active=lambda: self.pick(True, False),
            gender=lambda: self.pick("male", "female", "other"),
            name=lambda: self.many(
                lambda: name(
                    family=lambda: self.pick("Abel", "ABELSON", "Baker"),
                    given=lambda: [self.pick("Ann", "Ben")],
                    text=lambda: "abc",
                )
            ),
            address=lambda: self.many(
                lambda: name(
                    city=lambda: self.pick("Bern", "Bonn"),
                    use=lambda: self.pick("home", "work"),
                    line=lambda: ["Main Road 1"],
                )
            ),
            telecom=lambda: self.many(
                lambda: {"system": self.pick("email", "phone"), "value": self.pick("a@b", "12")}
            ),
            birthDate=lambda: self.pick("2019", "2020-02", "2020-02-29", "2021-12-31"),
            managingOrganization=lambda: self.reference("Organization"),
            generalPractitioner=lambda: self.many(
                lambda: self.reference("Practitioner", "Organization")
            ),
            communication=lambda: [{"language": self.concept()}],
            link=lambda: [{"other": self.reference("Patient"), "type": "seealso"}],
        )
        dead = self.pick({}, {"deceasedBoolean": True}, {"deceasedBoolean": False})
        return {**found, **(dead or self.some(deceasedDateTime=self.moment))}

    def observation(self) -> Resource:
        when = self.pick(
            {}, {"effectiveDateTime": self.moment()}, {"effectivePeriod": self.period()}
        )
        found = self.some(
            category=lambda: self.many(self.concept),
            performer=lambda: self.many(lambda: self.reference("Practitioner", "Patient")),
            component=lambda: self.many(lambda: {"code": self.concept(), **self.value()}),
            subject=lambda: self.reference("Patient", "Group"),
        )
        given = {"status": self.pick("final", "amended"), "code": self.concept()}
        return {**given, **when, **found, **(self.value() if self.draw.random() < 0.7 else {})}

    def resources(self) -> Iterator[Resource]:
        for number in range(RESOURCES):
            yield {"resourceType": "Patient", "id": f"p{number}", **self.patient()}
            yield {"resourceType": "Observation", "id": f"o{number}", **self.observation()}


def _tokens(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return [("", str(value).lower() if isinstance(value, bool) else str(value))]
    if "coding" in value:
        return [found for coding in value["coding"] for found in _tokens(coding)]
    is_contact = value.get("system") in ("email", "phone")
    code = str(value.get("code", value.get("value", "")))
    return [("" if is_contact else str(value.get("system", "")), code)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = [value[key] for key in ("text", "family", "given", "city", "line") if key in value]
    return [text for one in members for text in (one if isinstance(one, list) else [one])]


def _range(text: str) -> tuple[datetime, datetime]:
    """Return the first moment of a date or time, and the first one after it."""
    if "T" in text:
        moment = datetime.fromisoformat(text)
        is_exact = "." in text
        return moment, moment + timedelta(seconds=0.1 if is_exact else 1)
    parts = [int(part) for part in text.split("-")]
    first = date(*[*parts, 1, 1][:3])
    days = {1: 366 if calendar.isleap(parts[0]) else 365, 3: 1}
    length = days.get(len(parts)) or calendar.monthrange(parts[0], parts[1])[1]
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return start, start + timedelta(days=length)


def _dates(value: Any) -> tuple[datetime, datetime]:
    if isinstance(value, dict):
        return _range(value["start"])[0], _range(value["end"])[1]
    return _range(value)


def _compare_dates(prefix: str, found: tuple[datetime, datetime], text: str) -> bool:
    low, high = found
    from_, until = _range(text)
    equal = from_ <= low and high <= until
    return {
        "": equal,
        "ne": not equal,
        "gt": high > until,
        "lt": low < from_,
        "ge": high > until or equal,
        "le": low < from_ or equal,
        "sa": low >= until,
        "eb": high <= from_,
    }[prefix]


def _condition(draw: random.Random, type_: str, value: Any) -> tuple[str, Callable[[Any], bool]]:
    """Return the text of a query for a value, and whether another value satisfies it."""
    match type_:
        case "token":
            system, code = draw.choice(_tokens(value))
            if system and draw.random() < 0.5:
                return f"{system}|{code}", lambda one: (system, code) in _tokens(one)
            return code, lambda one: code in [each for _, each in _tokens(one)]
        case "string":
            texts = _texts(value) or ["x"]
            start = draw.choice(texts)[: draw.randint(1, 5)]
            return start, lambda one: any(
                text.lower().startswith(start.lower()) for text in _texts(one)
            )
        case "date":
            text = value["start"] if isinstance(value, dict) else value
            prefix = draw.choice(["", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
            return prefix + text, lambda one: _compare_dates(prefix, _dates(one), text)
        case "quantity":
            number, unit = value["value"], value["code"]
            prefix = draw.choice(["gt", "lt"])
            return (
                f"{prefix}{number}|u|{unit}",
                lambda one: (
                    one["code"] == unit
                    and (one["value"] > number if prefix == "gt" else one["value"] < number)
                ),
            )
    return value["reference"], lambda one: one["reference"] == value["reference"]


@pytest.mark.parametrize("seed", range(3))
def test_searches_find_what_fhirpath_finds(seed: int) -> None:
    draw = random.Random(seed)
    indexed = Indexed()
    written = [*Maker(draw).resources()]
    indexed.put(*written)
    with_matches = 0
    for _ in range(QUERIES):
        resource_type = draw.choice([*PARAMETERS])
        code, (type_, expression) = draw.choice([*PARAMETERS[resource_type].items()])
        values = {
            one["id"]: _compiled(expression)(one)
            for one in written
            if one["resourceType"] == resource_type
        }
        known = [value for found in values.values() for value in found]
        if not known:
            continue
        text, is_match = _condition(draw, type_, draw.choice(known))
        wanted = {id_ for id_, found in values.items() if any(map(is_match, found))}
        found = indexed.ids(f"{resource_type}?{code}={quote(text)}&_count=1000")
        assert set(found) == wanted, f"{resource_type}?{code}={text}"
        with_matches += bool(wanted)
    assert with_matches > QUERIES / 2
