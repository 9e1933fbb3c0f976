"""Searches by HTTP: GET and POST, strict and lenient, pages, and the index after writes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.services.healthcare.fhir import instants
from tests.support.fhir_resources import observation, patient

Fhir = Any


def ids(bundle: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


@pytest.fixture
def filled(fhir: Fhir) -> Fhir:
    fhir.put(patient("a", name=[{"family": "Abel"}], birthDate="1970-01-01"))
    fhir.put(patient("b", name=[{"family": "Baker"}], birthDate="1980-01-01"))
    fhir.put(observation("Patient/a", "o"))
    return fhir


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "Patient?family=abel"),
        ("GET", "Patient/?family=abel"),
        ("POST", "Patient/_search?family=abel"),
        ("GET", "?_type=Patient&_id=a"),
        ("POST", "_search?_type=Patient&_id=a&alt=json"),
        ("POST", "_search?resourceType=Patient&family=abel"),
        ("GET", "Patient?_has:Observation:patient:_id=o"),
    ],
)
def test_a_search_by_each_method(filled: Fhir, method: str, path: str) -> None:
    found = filled.ok(method, path)
    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", 1)
    assert ids(found) == ["a"]
    [entry] = found["entry"]
    assert entry["search"] == {"mode": "match"}
    assert entry["fullUrl"].endswith(f"{filled.store}/fhir/Patient/a")
    assert entry["resource"]["meta"]["versionId"]


def test_the_newest_resource_comes_first_with_what_it_includes(filled: Fhir) -> None:
    assert ids(filled.ok("GET", "Patient")) == ["b", "a"]
    filled.put(patient("a", name=[{"family": "Cain"}]))
    found = filled.ok("GET", "Patient?_revinclude=Observation:subject")
    assert [(one["resource"]["id"], one["search"]["mode"]) for one in found["entry"]] == [
        ("a", "match"),
        ("b", "match"),
        ("o", "include"),
    ]
    assert filled.ok("GET", "Patient?family=abel")["total"] == 0


def test_the_next_link_leads_to_the_next_page(filled: Fhir) -> None:
    first = filled.ok("GET", "Patient?_count=1&_sort=family")
    links = {link["relation"]: link["url"] for link in first["link"]}
    assert links["self"].endswith("/fhir/Patient/?_count=1&_sort=family")
    target = urlsplit(links["next"])
    second = filled.client.get(f"{target.path}?{target.query}").json()
    assert (ids(first), ids(second)) == (["a"], ["b"])
    assert "next" not in {link["relation"] for link in second["link"]}


def test_unknown_parameters_are_refused_by_strict_handling_alone(
    filled: Fhir, make_fhir: Callable[..., Fhir]
) -> None:
    assert filled.ok("GET", "Patient?colour=red")["total"] == 2
    issue = filled.refused(400, "GET", "Patient?colour=red", prefer="handling=strict")
    assert issue == {
        "severity": "error",
        "code": "value",
        "details": {"text": "invalid_query"},
        "diagnostics": 'unknown search parameter "colour" for resource type Patient',
    }
    strict = make_fhir("strict", defaultSearchHandlingStrict=True)
    strict.refused(400, "GET", "Patient?colour=red")
    assert strict.ok("GET", "Patient?colour=red", prefer="handling=lenient")["total"] == 0


def test_a_form_in_the_body_is_refused(filled: Fhir) -> None:
    form = "application/x-www-form-urlencoded"
    answer = filled.send("POST", "Patient/_search", b"family=abel", form)
    assert answer.status_code == 415
    assert "put them into the URL's query" in answer.json()["issue"][0]["diagnostics"]


def test_a_deleted_resource_and_a_deleted_store_are_not_found(
    filled: Fhir, make_fhir: Callable[..., Fhir]
) -> None:
    filled.ok("DELETE", "Observation/o")
    assert filled.ok("GET", "Observation")["total"] == 0
    assert filled.ok("GET", "Patient?_has:Observation:subject:_id=o")["total"] == 0
    assert filled.client.delete(f"/v1/{filled.store}").status_code == 200
    again = make_fhir()
    assert again.store == filled.store
    assert again.ok("GET", "Patient?family=abel")["total"] == 0


def test_a_store_does_not_find_the_resources_of_another(
    filled: Fhir, make_fhir: Callable[..., Fhir]
) -> None:
    other = make_fhir("other")
    other.put(patient("a", name=[{"family": "Abel"}]))
    assert other.ok("GET", "Patient")["total"] == 1
    assert other.ok("GET", "Patient?_has:Observation:patient:_id=o")["total"] == 0
    assert other.ok("GET", "Patient?_revinclude=Observation:patient")["total"] == 1


def test_the_capabilities_name_the_parameters(fhir: Fhir) -> None:
    [rest] = fhir.ok("GET", "metadata")["rest"]
    listed = {one["type"]: one for one in rest["resource"]}
    names = {one["name"]: one["type"] for one in listed["Patient"]["searchParam"]}
    assert names["birthdate"] == "date"
    assert names["_lastUpdated"] == "date"
    assert names["general-practitioner"] == "reference"
    assert "_query" not in names
    assert "near" not in {one["name"] for one in listed["Location"]["searchParam"]}
    assert {"code": "search-type"} in listed["Patient"]["interaction"]
    assert {"code": "search-system"} in rest["interaction"]
    assert "Observation:subject" in listed["Observation"]["searchInclude"]
    assert "Observation:subject" in listed["Patient"]["searchRevInclude"]


def test_a_label_delays_the_index_but_for_identifiers(
    make_fhir: Callable[..., Fhir], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make_fhir("late", labels={"emulator-index-delay": "60"})
    late.put(patient("a", identifier=[{"system": "s", "value": "1"}], gender="other"))
    late.put(observation("Patient/a", "o"))
    assert late.ok("GET", "Patient?gender=other")["total"] == 0
    assert late.ok("GET", "Patient?gender:not=male")["total"] == 0
    found = late.ok("GET", "Patient?identifier=s|1&_revinclude=Observation:subject")
    assert found["total"] == 1
    assert late.ok("GET", "Patient?identifier=s|1&gender=other")["total"] == 0
    in_a_minute = instants.next_version() + 60 * 10**9
    monkeypatch.setattr(instants, "next_version", lambda: in_a_minute)
    assert late.ok("GET", "Patient?gender=other")["total"] == 1
