"""`Patient/$everything`, `$references` and `ConceptMap/$translate`."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.fhir_resources import observation, patient


def names(bundle: Any) -> list[str]:
    resources = [each["resource"] for each in bundle.get("entry", [])]
    return [f"{each['resourceType']}/{each['id']}" for each in resources]


def beta(fhir: Any) -> Any:
    return replace(fhir, version="v1beta1")


@pytest.fixture
def ward(fhir: Any) -> Any:
    """A store with a patient, what belongs to it, and what does not."""
    organization = {"resourceType": "Organization", "id": "org", "name": "Clinic"}
    practitioner = {"resourceType": "Practitioner", "id": "doctor"}
    fhir.put(organization)
    fhir.put(practitioner)
    fhir.put(patient("a", managingOrganization={"reference": "Organization/org"}))
    fhir.put(patient("b"))
    fhir.put(observation("Patient/a", "old", effectiveDateTime="2020-05-01"))
    fhir.put(observation("Patient/a", "new", effectivePeriod={"start": "2024-01-01"}))
    fhir.put(observation("Patient/b", "focus", focus=[{"reference": "Patient/a"}]))
    fhir.put(observation("Patient/b", "other", performer=[{"reference": "Patient/a"}]))
    appointment = {
        "resourceType": "Appointment",
        "id": "visit",
        "status": "proposed",
        "participant": [{"actor": {"reference": "Patient/a"}, "status": "accepted"}],
    }
    fhir.put(appointment)
    fhir.put(
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": "Patient/a"}}],
        }
    )
    return fhir


EVERYTHING = [
    "Organization/org",
    "Patient/a",
    "Observation/old",
    "Observation/new",
    "Observation/other",
    "Appointment/visit",
    "Group/g",
]


def test_everything_of_a_patient_is_its_compartment(ward: Any) -> None:
    bundle = ward.ok("GET", "Patient/a/$everything")
    assert names(bundle) == EVERYTHING
    assert (bundle["type"], bundle["total"]) == ("searchset", len(EVERYTHING))
    assert ward.refused(404, "GET", "Patient/none/$everything")


def test_everything_of_an_encounter_is_its_compartment(ward: Any) -> None:
    visit = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}
    subject = {"reference": "Patient/a"}
    of_visit = {"reference": "Encounter/e"}
    url = "http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter"
    ward.put({**visit, "id": "e", "subject": subject})
    ward.put(observation("Patient/a", "within", encounter=of_visit))
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}, "subject": subject}
    ward.put({**flag, "id": "outside", "encounter": of_visit})
    ward.put({**flag, "id": "associated", "extension": [{"url": url, "valueReference": of_visit}]})
    found = ["Patient/a", "Encounter/e", "Observation/within", "Flag/associated"]
    assert names(beta(ward).ok("GET", "Encounter/e/$everything")) == found
    some = beta(ward).ok("GET", "Encounter/e/$everything?_type=Flag&start=2024-01-01")
    assert names(some) == ["Flag/associated"]


def test_everything_comes_in_pages(ward: Any) -> None:
    page = ward.ok("GET", "Patient/a/$everything?_count=3")
    found = names(page)
    while links := [each["url"] for each in page["link"] if each["relation"] == "next"]:
        page = ward.ok("GET", links[0].partition("/fhir/")[2])
        found += names(page)
    assert found == EVERYTHING


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ("_type=Observation,Patient", {"Organization/org", "Appointment/visit", "Group/g"}),
        ("start=2023-01-01", {"Observation/old"}),
        ("end=2023-12-31", {"Observation/new"}),
        ("_since=2999-01-01T00:00:00Z", set(EVERYTHING)),
    ],
)
def test_everything_is_limited(ward: Any, query: str, left_out: set[str]) -> None:
    found = names(ward.ok("GET", f"Patient/a/$everything?{query}"))
    assert found == [name for name in EVERYTHING if name not in left_out]


@pytest.mark.parametrize("query", ["_type=Nothing", "start=2023", "_since=2023", "_count=0"])
def test_everything_refuses_wrong_parameters(ward: Any, query: str) -> None:
    assert ward.refused(400, "GET", f"Patient/a/$everything?{query}")


def test_incoming_references_of_a_resource(ward: Any) -> None:
    found = beta(ward).ok("GET", "$references?target=Patient/a")
    assert names(found) == [
        "Observation/old",
        "Observation/new",
        "Observation/focus",
        "Observation/other",
        "Appointment/visit",
        "Group/g",
    ]
    typed = beta(ward).ok("GET", "$references?target=Patient/a&_type=Group&_summary=text")
    assert names(typed) == ["Group/g"]
    assert set(typed["entry"][0]["resource"]) == {"resourceType", "id", "meta"}
    assert names(beta(ward).ok("GET", "$references?target=Patient/none")) == []
    for wrong in ("", "?target=Patient", "?target=Patient/a&_summary=count"):
        assert beta(ward).refused(400, "GET", f"$references{wrong}")
    page = beta(ward).ok("GET", "$references?target=Patient/a&_count=4")
    rest = beta(ward).ok("GET", page["link"][1]["url"].partition("/fhir/")[2])
    assert (len(page["entry"]), len(rest["entry"]), rest["total"]) == (4, 2, 6)


CONCEPT_MAP = {
    "resourceType": "ConceptMap",
    "id": "m1",
    "url": "urn:map",
    "version": "1",
    "status": "active",
    "sourceUri": "urn:from",
    "targetUri": "urn:to",
    "group": [
        {
            "source": "urn:a",
            "target": "urn:b",
            "element": [
                {"code": "1", "target": [{"code": "one", "equivalence": "equal"}]},
                {"code": "2", "target": [{"equivalence": "unmatched"}]},
            ],
            "unmapped": {"mode": "fixed", "code": "other"},
        },
        {
            "source": "urn:c",
            "target": "urn:d",
            "element": [{"code": "1", "target": [{"code": "uno", "equivalence": "wider"}]}],
        },
    ],
}


def result(parameters: Any) -> tuple[bool, list[str]]:
    """Return whether a code was translated, and into which codes."""
    [found] = [each for each in parameters["parameter"] if each["name"] == "result"]
    concepts = [
        part["valueCoding"]
        for each in parameters["parameter"]
        if each["name"] == "match"
        for part in each["part"]
        if part["name"] == "concept"
    ]
    return found["valueBoolean"], [f"{each['system']}|{each.get('code', '')}" for each in concepts]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=1&system=urn:a", (True, ["urn:b|one"])),
        ("code=2&system=urn:a", (False, ["urn:b|"])),
        ("code=3&system=urn:a", (True, ["urn:b|other"])),
        ("code=1&system=urn:c", (True, ["urn:d|uno"])),
        ("code=3&system=urn:c", (False, [])),
    ],
)
def test_a_code_is_translated(fhir: Any, query: str, found: tuple[bool, list[str]]) -> None:
    fhir.put(CONCEPT_MAP)
    by_id = beta(fhir).ok("GET", f"ConceptMap/m1/$translate?{query}")
    assert result(by_id) == found
    for scope in ("url=urn:map", "source=urn:from", "target=urn:to&conceptMapVersion=1"):
        searched = beta(fhir).ok("GET", f"ConceptMap/$translate?{query}&{scope}")
        assert searched == by_id


def test_the_newest_version_of_a_concept_map_translates(fhir: Any) -> None:
    fhir.put(CONCEPT_MAP)
    target = {"code": "eins", "equivalence": "equal"}
    group = {"source": "urn:a", "target": "urn:b", "element": [{"code": "1", "target": [target]}]}
    fhir.put({**CONCEPT_MAP, "id": "m2", "version": "10", "group": [group]})
    path = "ConceptMap/$translate?code=1&system=urn:a&url=urn:map"
    assert result(beta(fhir).ok("GET", path)) == (True, ["urn:b|eins"])
    assert result(beta(fhir).ok("GET", f"{path}&conceptMapVersion=1")) == (True, ["urn:b|one"])
    assert beta(fhir).refused(404, "GET", f"{path}&conceptMapVersion=2")
    assert beta(fhir).refused(400, "GET", "ConceptMap/$translate?code=1&system=urn:a")
    assert beta(fhir).refused(400, "GET", "ConceptMap/m1/$translate?code=1")


def test_v1_has_no_translation(fhir: Any) -> None:
    refused = fhir.refused(400, "GET", "ConceptMap/$translate?code=1&system=urn:a")
    assert refused["details"]["text"] == "invalid_resource_id"


def _measured(id_: str, code: str, day: str, subject: str = "Patient/a") -> Any:
    coding = {"system": "http://loinc.org", "code": code}
    category = {"coding": [{"code": "vital-signs"}]}
    return observation(
        subject, id_, code={"coding": [coding]}, category=[category], effectiveDateTime=day
    )


def test_the_last_observations_of_each_code(fhir: Any) -> None:
    fhir.put(patient("a"))
    fhir.put(patient("b"))
    for each in (
        _measured("p1", "8867-4", "2024-01-01"),
        _measured("p3", "8867-4", "2024-03-01"),
        _measured("p2", "8867-4", "2024-02-01"),
        _measured("t1", "8310-5", "2024-01-15"),
        _measured("other", "8310-5", "2024-05-01", "Patient/b"),
    ):
        fhir.put(each)
    one = beta(fhir).ok("GET", "Observation/$lastn?patient=Patient/a&category=vital-signs")
    assert names(one) == ["Observation/p3", "Observation/t1"]
    two = beta(fhir).ok("GET", "Observation/$lastn?subject=Patient/a&code=8867-4&max=2")
    assert names(two) == ["Observation/p3", "Observation/p2"]
    early = "Observation/$lastn?patient=a&code=8867-4,8310-5&date=lt2024-02-15"
    assert names(beta(fhir).ok("GET", early)) == ["Observation/p2", "Observation/t1"]


@pytest.mark.parametrize(
    "query",
    [
        "code=8867-4",
        "patient=a",
        "patient=a&code=8867-4&max=0",
        "patient=a&code=8867-4&date=yesterday",
    ],
)
def test_lastn_refuses_what_it_needs_otherwise(fhir: Any, query: str) -> None:
    assert beta(fhir).refused(400, "GET", f"Observation/$lastn?{query}")["code"] == "value"
