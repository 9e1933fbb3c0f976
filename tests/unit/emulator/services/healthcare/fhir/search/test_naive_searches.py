"""Searches find what a plain look at every resource finds, whatever was written before."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fhir_index import Indexed

GENDERS = ("male", "female", "other")
FAMILIES = ("Abel", "abelson", "\u00c1bel", "Baker", "")
DAYS = ("2020-01-01", "2020-01-31", "2020-02-01", "2021-12-31")
CODES = ("a", "b")
SYSTEMS = ("", "s", "t")
PREFIXES = ("", "ne", "gt", "lt", "ge", "le", "sa", "eb")

Resource = dict[str, Any]


@st.composite
def patients(draw: st.DrawFn) -> Resource:
    members: Resource = {}
    if gender := draw(st.sampled_from(["", *GENDERS])):
        members["gender"] = gender
    if families := draw(st.lists(st.sampled_from(FAMILIES), max_size=2)):
        members["name"] = [{"family": family} for family in families if family]
    if born := draw(st.sampled_from(["", *DAYS])):
        members["birthDate"] = born
    if identifiers := draw(st.lists(st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES)))):
        members["identifier"] = [
            {**({"system": system} if system else {}), "value": code}
            for system, code in identifiers
        ]
    number = draw(st.integers(0, 4))
    return {"resourceType": "Patient", "id": f"p{number}", **members}


@st.composite
def observations(draw: st.DrawFn) -> Resource:
    members: Resource = {}
    if draw(st.booleans()):
        members["valueQuantity"] = {"value": draw(st.integers(0, 5)), "unit": "kg"}
    number, subject = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    reference = {"reference": f"Patient/p{subject}"}
    return {"resourceType": "Observation", "id": f"o{number}", "subject": reference, **members}


def fold(text: str) -> str:
    return text.casefold().replace("\u00e1", "a")


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, Any]:
    """Return a condition on patients, and a function that says whether one satisfies it."""
    match draw(st.integers(0, 6)):
        case 0:
            wanted = draw(st.lists(st.sampled_from(GENDERS), min_size=1, max_size=2))
            return f"gender={','.join(wanted)}", lambda one: one.get("gender") in wanted
        case 1:
            gender = draw(st.sampled_from(GENDERS))
            return f"gender:not={gender}", lambda one: one.get("gender") != gender
        case 2:
            start = draw(st.sampled_from(["a", "abel", "AB", "b", "x"]))
            return f"family={start}", lambda one: any(
                fold(name["family"]).startswith(start.lower()) for name in one.get("name", [])
            )
        case 3:
            exact = draw(st.sampled_from(FAMILIES[:-1]))
            return f"family:exact={exact}", lambda one: any(
                name["family"] == exact for name in one.get("name", [])
            )
        case 4:
            missing = draw(st.sampled_from(["true", "false"]))
            return (
                f"birthdate:missing={missing}",
                lambda one: ("birthDate" not in one) == (missing == "true"),
            )
        case 5:
            system, code = draw(st.sampled_from(SYSTEMS)), draw(st.sampled_from(CODES))
            return f"identifier={system}|{code}", lambda one: any(
                (each.get("system", ""), each["value"]) == (system, code)
                for each in one.get("identifier", [])
            )
    return draw(dates())


@st.composite
def dates(draw: st.DrawFn) -> tuple[str, Any]:
    prefix, day = draw(st.sampled_from(PREFIXES)), date.fromisoformat(draw(st.sampled_from(DAYS)))
    compare = {
        "": day.__eq__,
        "ne": day.__ne__,
        "gt": day.__lt__,
        "sa": day.__lt__,
        "lt": day.__gt__,
        "eb": day.__gt__,
        "ge": day.__le__,
        "le": day.__ge__,
    }[prefix]

    def satisfies(one: Resource) -> bool:
        return "birthDate" in one and bool(compare(date.fromisoformat(one["birthDate"])))

    return f"birthdate={prefix}{day}", satisfies


@settings(max_examples=40, deadline=None)
@given(
    st.lists(patients() | observations(), max_size=10),
    st.lists(conditions(), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_searches_find_what_a_plain_look_finds(
    written: list[Resource], wanted: list[tuple[str, Any]], weight: int
) -> None:
    indexed = Indexed()
    indexed.put(*written)
    latest = {(one["resourceType"], one["id"]): one for one in written}
    query = "&".join(text.replace("&", "%26") for text, _ in wanted)
    matching = {
        id_
        for (type_, id_), one in latest.items()
        if type_ == "Patient" and all(satisfies(one) for _, satisfies in wanted)
    }
    assert set(indexed.ids(f"Patient?{query}")) == matching

    observed = [one for (type_, _), one in latest.items() if type_ == "Observation"]
    about = {one["id"]: one["subject"]["reference"].removeprefix("Patient/") for one in observed}
    text, satisfies = wanted[0]
    first = {id_ for (type_, id_), one in latest.items() if type_ == "Patient" and satisfies(one)}
    assert set(indexed.ids(f"Observation?subject:Patient.{text}")) == {
        id_ for id_, subject in about.items() if subject in first
    }
    heavy = {
        about[one["id"]]
        for one in observed
        if "valueQuantity" in one and one["valueQuantity"]["value"] > weight
    }
    found = indexed.ids(f"Patient?_has:Observation:patient:value-quantity=gt{weight}")
    assert set(found) == {id_ for id_ in heavy if ("Patient", id_) in latest}
