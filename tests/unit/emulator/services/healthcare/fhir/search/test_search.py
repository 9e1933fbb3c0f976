"""Searches of each type, with their modifiers, chains, includes, order and pages."""

import sqlite3
from decimal import Decimal
from typing import Any

import pytest

from emulator.services.healthcare.fhir import moments
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.search import bundle
from emulator.services.healthcare.fhir.search.criteria import SearchError
from emulator.services.healthcare.fhir.search.parameters import parameters
from tests.support.fhir_index import Indexed

LOINC = "http://loinc.org"
PATIENTS: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "ann",
        "meta": {"lastUpdated": "2024-01-01T00:00:00Z", "tag": [{"system": "t", "code": "x"}]},
        "active": True,
        "identifier": [{"system": "urn:mrn", "value": "1,2"}],
        "name": [{"family": "M\u00fcller", "given": ["Ann", "B."]}],
        "telecom": [{"system": "email", "value": "a@example.com"}],
        "gender": "female",
        "birthDate": "1980-05",
        "address": [{"city": "Z\u00fcrich", "line": ["Bahnhofstrasse 1"]}],
        "managingOrganization": {"reference": "Organization/ward"},
    },
    {
        "resourceType": "Patient",
        "id": "bob",
        "meta": {"lastUpdated": "2024-01-02T00:00:00Z"},
        "identifier": [{"system": "urn:mrn", "value": "3"}, {"value": "loose"}],
        "name": [{"family": "Muller-Smith"}, {"family": "Smith"}],
        "gender": "male",
        "birthDate": "1980-05-17",
        "deceasedDateTime": "2020-02-29T10:00:00+01:00",
        "generalPractitioner": [{"reference": "Practitioner/doc"}],
    },
]
OTHERS: list[dict[str, Any]] = [
    {
        "resourceType": "Organization",
        "id": "ward",
        "name": "Ward",
        "partOf": {"reference": "Organization/h"},
    },
    {"resourceType": "Organization", "id": "h", "name": "Hospital"},
    {"resourceType": "Practitioner", "id": "doc", "name": [{"family": "House"}]},
]


def observation(identifier: str, subject: str, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic Pressure"}]},
        "subject": {"reference": f"Patient/{subject}"},
        **members,
    }


OBSERVATIONS = [
    observation(
        "o1",
        "ann",
        effectiveDateTime="2024-03-01T08:30:00Z",
        valueQuantity={"value": Decimal("120.0"), "unit": "mmHg", "system": "u", "code": "mm[Hg]"},
        component=[
            {
                "code": {"coding": [{"system": LOINC, "code": "a"}]},
                "valueQuantity": {"value": 10, "code": "x", "system": "u"},
            },
            {
                "code": {"coding": [{"system": LOINC, "code": "b"}]},
                "valueQuantity": {"value": 20, "code": "x", "system": "u"},
            },
        ],
    ),
    observation(
        "o2",
        "bob",
        effectivePeriod={"start": "2024-03-01", "end": "2024-03-05"},
        valueQuantity={"value": 95, "comparator": "<", "unit": "mmHg"},
        derivedFrom=[{"reference": "Observation/o1"}],
    ),
    observation("o3", "bob", valueString="Normal", derivedFrom=[{"reference": "Observation/o2"}]),
]


@pytest.fixture
def indexed() -> Indexed:
    return Indexed()


@pytest.fixture
def store(indexed: Indexed) -> Indexed:
    indexed.put(*OTHERS, *PATIENTS, *OBSERVATIONS)
    return indexed


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient", "ann bob"),
        ("Patient?_id=ann,bob", "ann bob"),
        ("Patient?name=mull", "ann bob"),
        ("Patient?family=MULLER", "ann bob"),
        ("Patient?family:exact=M\u00fcller", "ann"),
        ("Patient?family:contains=smi", "bob"),
        ("Patient?given=b.", "ann"),
        ("Patient?address-city=zur", "ann"),
        ("Patient?address=bahnhof", "ann"),
        ("Patient?gender=female,male", "ann bob"),
        ("Patient?gender=female&gender=male", ""),
        ("Patient?gender:not=female", "bob"),
        ("Patient?gender=http://hl7.org/fhir/administrative-gender|male", "bob"),
        ("Patient?gender=urn:other|male", ""),
        ("Patient?active=true", "ann"),
        ("Patient?active:missing=true", "bob"),
        ("Patient?active:missing=false", "ann"),
        ("Patient?identifier=urn:mrn|1\\,2", "ann"),
        ("Patient?identifier=urn:mrn|", "ann bob"),
        ("Patient?identifier=|loose", "bob"),
        ("Patient?identifier=3", "bob"),
        ("Patient?identifier=other|3", ""),
        ("Patient?email=a@example.com", "ann"),
        ("Patient?deceased=true", "bob"),
        ("Patient?deceased=false", "ann"),
        ("Patient?_tag=t|x", "ann"),
        ("Patient?birthdate=1980-05", "ann bob"),
        ("Patient?birthdate=1980-05-17", "bob"),
        ("Patient?birthdate=ne1980-05-17", "ann"),
        ("Patient?birthdate=lt1980-05-17", "ann"),
        ("Patient?birthdate=le1980-05-17", "ann bob"),
        ("Patient?birthdate=gt1980-05-17", "ann"),
        ("Patient?birthdate=ge1980-06", ""),
        ("Patient?birthdate=sa1980-04", "ann bob"),
        ("Patient?birthdate=eb1980-05", ""),
        ("Patient?birthdate=ap1981", "ann bob"),
        ("Patient?death-date=2020-02-29T09:00Z", "bob"),
        ("Patient?_lastUpdated=gt2024-01-01", "bob"),
        ("Patient?organization=ward", "ann"),
        ("Patient?organization=Organization/ward", "ann"),
        ("Patient?organization:Organization=ward", "ann"),
        ("Patient?organization.name=war", "ann"),
        ("Patient?organization.partof.name=hosp", "ann"),
        ("Patient?organization:Organization.partof:Organization.name:exact=Hospital", "ann"),
        ("Patient?general-practitioner:Practitioner.family=house", "bob"),
        ("Patient?general-practitioner.family=house", "bob"),
        ("Patient?_has:Observation:patient:value-string=norm", "bob"),
        ("Patient?_has:Observation:patient:_has:Observation:derived-from:_id=o2", "ann"),
        ("Observation?patient._has:Observation:subject:_id=o1", "o1"),
        ("Observation?patient=ann", "o1"),
        ("Observation?subject:Patient.gender=male", "o2 o3"),
        ("Observation?code=8480-6", "o1 o2 o3"),
        ("Observation?code:text=PRESSURE", "o1 o2 o3"),
        ("Observation?date=2024-03", "o1 o2"),
        ("Observation?date=2024-03-01", "o1"),
        ("Observation?date=gt2024-03-04", "o2"),
        ("Observation?value-quantity=120", "o1"),
        ("Observation?value-quantity=120.4", ""),
        ("Observation?value-quantity=1.2e2", "o1"),
        ("Observation?value-quantity=gt100", "o1"),
        ("Observation?value-quantity=lt100", "o2"),
        ("Observation?value-quantity=120|u|mm[Hg]", "o1"),
        ("Observation?value-quantity=120||mmHg", "o1"),
        ("Observation?value-quantity=120|v|mm[Hg]", ""),
        ("Observation?value-quantity=ap115", "o1"),
        ("Observation?component-code-value-quantity=a$10", "o1"),
        ("Observation?component-code-value-quantity=a$20", ""),
        ("Observation?component-code-value-quantity=http://loinc.org|b$gt15", "o1"),
        ("Observation?code-value-string=8480-6$norm", "o3"),
        ("Observation?_content=normal final", "o3"),
        ("?_type=Patient,Observation&_id=ann,o1", "ann o1"),
        ("?_lastUpdated=ge2024", "ann bob"),
    ],
)
def test_a_query_finds(store: Indexed, query: str, expected: str) -> None:
    assert sorted(store.ids(query)) == expected.split()


def test_uris_are_found_above_and_below(indexed: Indexed) -> None:
    indexed.put(
        {
            "resourceType": "ValueSet",
            "id": "v",
            "url": "http://example.com/vs/a",
            "compose": {"include": [{"system": LOINC, "concept": [{"code": "8480-6"}]}]},
        },
        observation("o1", "x"),
        observation("o2", "x", code={"coding": [{"system": LOINC, "code": "other"}]}),
        {
            "resourceType": "Questionnaire",
            "id": "q",
            "derivedFrom": ["http://example.com/q|2"],
        },
    )
    assert indexed.ids("ValueSet?url=http://example.com/vs/a") == ["v"]
    assert indexed.ids("ValueSet?url:below=http://example.com/vs") == ["v"]
    assert indexed.ids("ValueSet?url:above=http://example.com/vs/a/b") == ["v"]
    assert indexed.ids("ValueSet?url:below=http://example.org") == []
    assert indexed.ids("Observation?code:in=http://example.com/vs/a") == ["o1"]
    assert indexed.ids("Observation?code:not-in=ValueSet/v") == ["o2"]


def test_a_changed_resource_is_found_by_its_new_values_alone(store: Indexed) -> None:
    store.put({**PATIENTS[0], "gender": "other"})
    assert store.ids("Patient?gender=female") == []
    assert store.ids("Patient?gender=other") == ["ann"]
    store.remove("Patient", "ann")
    assert store.ids("Patient?gender=other") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_sort=birthdate", "ann bob"),
        ("Patient?_sort=-birthdate", "bob ann"),
        ("Patient?_sort=family", "ann bob"),
        ("Patient?_sort=-_id", "bob ann"),
        ("Patient?_sort=-active,_id", "ann bob"),
        ("Observation?_sort=-value-quantity,_id", "o1 o2 o3"),
    ],
)
def test_matches_are_in_order(store: Indexed, query: str, expected: str) -> None:
    assert store.ids(query) == expected.split()


def test_the_newest_come_first(store: Indexed) -> None:
    _, page = store.page("Patient")
    assert [key.id for key in page.matches] == ["bob", "ann"]


@pytest.mark.parametrize("order", ["", "&_sort=_id", "&_sort=-active,birthdate"])
def test_pages_hold_each_match_once_while_resources_are_written(
    indexed: Indexed, order: str
) -> None:
    def patient(number: int) -> dict[str, Any]:
        return {
            "resourceType": "Patient",
            "id": f"p{number:02}",
            "meta": {"lastUpdated": f"2024-01-{number + 1:02}T00:00:00Z"},
            **({"active": True} if number % 2 else {}),
            **({"birthDate": f"19{number:02}"} if number % 3 else {}),
        }

    indexed.put(*map(patient, range(5, 25)))
    expected = {f"p{number:02}" for number in range(5, 25)}
    seen: list[str] = []
    token = ""
    while True:
        _, page = indexed.page(f"Patient?_count=3{order}{token}")
        assert page.total >= len(expected)
        seen += [key.id for key in page.matches]
        if not page.next_token:
            break
        token = f"&_page_token={page.next_token}"
        if len(seen) == 6:
            indexed.put(patient(1), patient(29))
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)


def test_a_page_token_of_another_query_is_refused(store: Indexed) -> None:
    _, page = store.page("Patient?_count=1")
    with pytest.raises(SearchError, match="it belongs to another list or filter"):
        store.page(f"Patient?_count=1&gender=male&_page_token={page.next_token}")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_include=Patient:organization", "ward"),
        ("Patient?_include=Patient:organization&_include:iterate=Organization:partof", "h ward"),
        ("Patient?_include=Patient:*", "doc ward"),
        ("Patient?_include=*", "doc ward"),
        ("Patient?_include=Patient:general-practitioner:Organization", ""),
        ("Patient?_id=ann&_revinclude=Observation:patient", "o1"),
        ("Patient?_id=ann&_revinclude=Observation:*", "o1"),
        (
            "Patient?_id=ann&_revinclude=Observation:patient"
            "&_revinclude:iterate=Observation:derived-from",
            "o1 o2 o3",
        ),
        ("Observation?_include=Observation:derived-from", ""),
        ("Observation?_id=o3&_include=Observation:derived-from", "o2"),
    ],
)
def test_resources_are_included_once(store: Indexed, query: str, expected: str) -> None:
    _, page = store.page(query)
    assert sorted(key.id for key in page.included) == expected.split()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Patient?colour=red", 'unknown search parameter "colour" for resource type Patient'),
        ("Patient?_filter=a", '"_filter" is not supported'),
        ("Patient?gender:of-type=a", 'modifier "of-type" is not supported for token'),
        ("Patient?birthdate=yesterday", 'invalid date: "yesterday"'),
        ("Observation?value-quantity=x", 'invalid number: "x"'),
        ("Observation?value-quantity=1|2", "has the form NUMBER|SYSTEM|CODE"),
        ("Observation?code-value-string=a", "does not have 2 parts separated by"),
        ("Patient?active:missing=x", '"x" is neither true nor false'),
        ("Patient?_count=-1", "not a non-negative integer"),
        ("Patient?_summary=count", '"count" is not supported'),
        ("Patient?_sort=organization", "_sort does not support the reference parameter"),
        ("Patient?_revinclude=*", "names no resource type of R4"),
        ("Patient?_include=Patient:gender", '"gender" is not a reference of Patient'),
        ("Patient?gender.name=a", "can't be chained"),
        ("Patient?organization.colour=a", "no target of"),
        ("Patient?_has:Observation:code:status=a", '"code" of Observation is not a reference'),
        ("Patient?_has:Observation:patient=a", "does not have the form _has"),
        ("Observation?code:in=http://example.com/none", 'the store has no ValueSet "http'),
        ("?_type=Robot", '"Robot" is not a resource type of R4'),
        ("Patient?identifier=a|b|c", "has more than one"),
    ],
)
def test_a_wrong_query_is_refused(store: Indexed, query: str, message: str) -> None:
    with pytest.raises(SearchError) as caught:
        store.page(query)
    assert message in caught.value.issue.diagnostics
    assert (caught.value.issue.code, caught.value.issue.details) == ("value", "invalid_query")


def test_long_lists_and_deep_chains_are_searched(store: Indexed) -> None:
    ids = ",".join(f"id{number}" for number in range(5000))
    assert store.ids(f"Patient?_id={ids},ann") == ["ann"]
    chain = "patient." + "link:Patient." * 12 + "gender"
    assert store.ids(f"Observation?{chain}=female") == []
    store.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1000)
    with pytest.raises(SearchError, match="too many conditions"):
        store.page(f"Patient?_id={ids}")


def test_lenient_handling_ignores_unknown_parameters(store: Indexed) -> None:
    query, page = store.page("Patient?colour=red&gender=male&_format=json", strict=False)
    assert [key.id for key in page.matches] == ["bob"]
    assert query.applied == [("gender", "male")]


def test_a_page_becomes_a_bundle(store: Indexed) -> None:
    query, page = store.page("Patient?_count=1&_elements=gender&name=m%26")
    assert page.total == 0
    query, page = store.page("Patient?_count=1&_elements=gender&_include=Patient:organization")
    base = "https://example.com/fhir"
    found = bundle.searchset(page, query, base, "Patient", store.read)
    assert (found["type"], found["total"]) == ("searchset", 2)
    assert [link["relation"] for link in found["link"]] == ["search", "first", "self", "next"]
    applied = f"{base}/Patient/?_count=1&_elements=gender&_include=Patient:organization"
    assert found["link"][2]["url"] == applied
    assert found["link"][3]["url"] == f"{applied}&_page_token={page.next_token}"
    [entry] = found["entry"]
    assert entry["fullUrl"] == f"{base}/Patient/bob"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"].keys() == {"resourceType", "id", "meta", "gender"}
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_summaries_keep_text_or_data(store: Indexed) -> None:
    text = {"status": "generated", "div": "<div>a</div>"}
    store.put({**OBSERVATIONS[2], "text": text})
    for summary, names in [
        ("text", {"resourceType", "id", "meta", "text", "status", "code"}),
        ("data", {*OBSERVATIONS[2], "meta"}),
    ]:
        query, page = store.page(f"Observation?_id=o3&_summary={summary}")
        found = bundle.searchset(page, query, "b", "Observation", store.read)
        assert found["entry"][0]["resource"].keys() == names


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2024", 366 * 86_400_000_000),
        ("2024-02", 29 * 86_400_000_000),
        ("2024-12", 31 * 86_400_000_000),
        ("2024-02-29", 86_400_000_000),
        ("2024-02-29T10:00", 60_000_000),
        ("2024-02-29T10:00:00Z", 1_000_000),
        ("2024-02-29T10:00:00.5-05:00", 100_000),
        ("2024-02-29T10:00:00.123456789Z", 1),
    ],
)
def test_a_moment_has_its_precision(text: str, length: int) -> None:
    found = moments.parse(text)
    assert found is not None
    assert found[1] - found[0] == length


@pytest.mark.parametrize("text", ["", "24", "2024-13", "2024-02-30", "2024-01-01T25:00Z", "0000"])
def test_other_texts_are_no_moment(text: str) -> None:
    assert moments.parse(text) is None


def test_moments_of_one_instant_are_equal() -> None:
    assert moments.parse("2024-01-01T01:00:00+01:00") == moments.parse("2024-01-01T00:00:00Z")


def test_every_step_of_every_parameter_is_an_element_of_its_type() -> None:
    empty = [
        f"{resource_type}.{parameter.code}"
        for resource_type in resource_types()
        for parameter in parameters(resource_type).values()
        for path in [
            *parameter.paths,
            *(path for component in parameter.components for path in component.paths),
        ]
        if not all(step.elements for step in path.steps)
    ]
    assert empty == []
