"""Bundles: transactions are all or nothing, batches are not; histories."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.fhir_resources import IDENTIFIER, entry, observation, patient

PATIENT_URN = "urn:uuid:1e0c3a5e-5b5a-4c5e-9a0e-6b8f4c3f0001"
OBSERVATION_URN = "urn:uuid:1e0c3a5e-5b5a-4c5e-9a0e-6b8f4c3f0002"


def responses(answer: Any, type_: str) -> list[Any]:
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["type"] == type_
    return [each["response"] for each in bundle.get("entry", [])]


def name_of(response: Any) -> str:
    return str(response["location"].partition("/fhir/")[2].partition("/_history/")[0])


def test_entries_of_a_transaction_refer_to_each_other(fhir: Any) -> None:
    answer = fhir.bundle(
        "transaction",
        entry("POST", "Observation", observation(PATIENT_URN), OBSERVATION_URN),
        entry("POST", "Patient", patient(identifier=[IDENTIFIER]), PATIENT_URN),
    )
    first, second = responses(answer, "transaction-response")
    assert first["status"] == second["status"] == "201 Created"
    stored = fhir.ok("GET", name_of(first))
    assert stored["subject"] == {"reference": name_of(second)}
    assert first["etag"] == f'W/"{stored["meta"]["versionId"]}"'
    assert first["lastModified"] == stored["meta"]["lastUpdated"]


def test_a_conditional_reference_is_resolved(fhir: Any) -> None:
    fhir.put(patient("a", identifier=[IDENTIFIER]))
    reference = "Patient?identifier=urn:example:mrn|7001"
    written = responses(
        fhir.bundle("transaction", entry("POST", "Observation", observation(reference))),
        "transaction-response",
    )
    assert fhir.ok("GET", name_of(written[0]))["subject"] == {"reference": "Patient/a"}
    none = fhir.bundle(
        "transaction", entry("POST", "Observation", observation("Patient?identifier=none"))
    )
    assert none.status_code == 412


def test_a_conditional_create_of_a_transaction_is_referred_to(fhir: Any) -> None:
    fhir.put(patient("a", identifier=[IDENTIFIER]))
    condition = "identifier=urn:example:mrn|7001"
    answer = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(), PATIENT_URN, ifNoneExist=condition),
        entry("POST", "Observation", observation(PATIENT_URN)),
    )
    found, written = responses(answer, "transaction-response")
    assert (found["status"], name_of(found)) == ("200 OK", "Patient/a")
    assert fhir.ok("GET", name_of(written))["subject"] == {"reference": "Patient/a"}


def test_all_of_a_transaction_or_nothing(fhir: Any) -> None:
    stored = fhir.put(patient("kept", active=True))
    answer = fhir.bundle(
        "transaction",
        entry("PUT", "Patient/kept", patient("kept")),
        entry("PUT", "Patient/new", patient("new")),
        entry("POST", "Observation", observation("Patient/none")),
    )
    refused = answer.json()["issue"][0]
    assert answer.status_code == 400
    assert refused["details"]["text"] == "invalid_references"
    assert fhir.ok("GET", "Patient/kept") == stored
    assert fhir.send("GET", "Patient/new").status_code == 404


def test_the_element_at_fault_is_named_as_one_of_the_bundle(fhir: Any) -> None:
    answer = fhir.bundle(
        "transaction",
        entry("PUT", "Patient/a", patient("a")),
        entry("PUT", "Patient/b", patient("b", managingOrganization={"reference": "#x"})),
    )
    [path] = answer.json()["issue"][0]["expression"]
    assert path == "Bundle.entry[1].resource.patient.managingOrganization"


def test_a_transaction_deletes_first_and_reads_last(fhir: Any) -> None:
    fhir.put(patient("old"))
    fhir.put(observation("Patient/old", "o"))
    answer = fhir.bundle(
        "transaction",
        entry("GET", "Observation/o"),
        entry("PUT", "Observation/o", observation("Patient/new", "o")),
        entry("PUT", "Patient/new", patient("new")),
        entry("DELETE", "Patient/old"),
    )
    bundle = answer.json()
    assert [each["response"]["status"] for each in bundle["entry"]] == [
        "200 OK",
        "200 OK",
        "201 Created",
        "200 OK",
    ]
    assert bundle["entry"][0]["resource"]["subject"] == {"reference": "Patient/new"}
    assert fhir.send("GET", "Patient/old").status_code == 410


def test_a_patch_in_a_bundle_is_a_binary(fhir: Any) -> None:
    fhir.put(patient("a"))
    operations = [{"op": "add", "path": "/active", "value": True}]
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(json.dumps(operations).encode()).decode(),
    }
    answer = fhir.bundle("transaction", entry("PATCH", "Patient/a", binary))
    assert responses(answer, "transaction-response")[0]["status"] == "200 OK"
    assert fhir.ok("GET", "Patient/a")["active"] is True
    assert fhir.bundle("transaction", entry("PATCH", "Patient/a", patient())).status_code == 400


def test_requests_of_a_batch_are_independent(fhir: Any) -> None:
    answer = fhir.bundle(
        "batch",
        entry("PUT", "Patient/a", patient("a")),
        entry("GET", "Patient/none"),
        entry("GET", "Patient?name=a"),
        {"resource": patient()},
        entry("POST", "Patient", patient()),
        entry("GET", "Patient/a"),
        Prefer="return=representation",
    )
    found = responses(answer, "batch-response")
    assert [each["status"] for each in found] == [
        "201 Created",
        "404 Not Found",
        "400 Bad Request",
        "400 Bad Request",
        "201 Created",
        "200 OK",
    ]
    assert found[1]["outcome"]["issue"][0]["code"] == "not-found"
    entries = answer.json()["entry"]
    assert entries[0]["resource"] == entries[5]["resource"] == fhir.ok("GET", "Patient/a")


@pytest.mark.parametrize(
    "entries",
    [
        [entry("PUT", "Patient/a", patient("a")), entry("DELETE", "Patient/a")],
        [entry("PUT", "Patient/a")],
        [entry("PUT", "Patient", patient("a"))],
        [entry("PUT", "Patient/a", observation("Patient/a", "a"))],
        [entry("GET", "Patient")],
        [entry("HEAD", "Patient/a")],
        [entry("GET", "")],
        ["text"],
        [{}],
    ],
)
def test_a_transaction_with_a_wrong_entry_is_refused(fhir: Any, entries: list[Any]) -> None:
    answer = fhir.bundle("transaction", *entries)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert fhir.send("GET", "Patient/a").status_code == 404


def test_other_bundles_are_refused(fhir: Any) -> None:
    assert fhir.bundle("searchset").status_code == 400
    assert fhir.refused(400, "POST", "", patient())["details"]["text"] == "resource_mismatch"
    assert fhir.bundle("batch").json() == {"resourceType": "Bundle", "type": "batch-response"}


def test_a_history_bundle_inserts_versions(make_fhir: Callable[..., Any]) -> None:
    def version(year: int, **members: Any) -> Any:
        meta = {"lastUpdated": f"{year}-01-01T00:00:00Z"}
        return entry("PUT", "Patient/a", patient("a", meta=meta, **members))

    plain = make_fhir("plain")
    assert plain.bundle("history", version(2020)).status_code == 400
    fhir = make_fhir("history", enableHistoryModifications=True)
    current = fhir.put(patient("a", active=True))
    answer = fhir.bundle("history", version(2021, gender="male"), version(2020))
    assert [each["status"] for each in responses(answer, "batch-response")] == ["201 Created"] * 2
    entries = fhir.ok("GET", "Patient/a/_history")["entry"]
    found = [each["resource"]["meta"]["lastUpdated"][:4] for each in entries]
    assert found == [current["meta"]["lastUpdated"][:4], "2021", "2020"]
    assert fhir.ok("GET", "Patient/a") == current
    fhir.bundle("history", version(2021, gender="female"))
    assert fhir.ok("GET", "Patient/a/_history")["entry"][1]["resource"]["gender"] == "female"


def test_a_history_bundle_builds_a_resource_and_its_deletion(
    make_fhir: Callable[..., Any],
) -> None:
    fhir = make_fhir("history", enableHistoryModifications=True)
    meta = {"lastUpdated": "2020-01-01T00:00:00Z"}
    deletion = entry("DELETE", "Patient/a")
    deletion["response"] = {"lastModified": "2021-01-01T00:00:00Z"}
    fhir.bundle("history", entry("POST", "Patient", patient("a", meta=meta)))
    assert fhir.ok("GET", "Patient/a")["meta"]["lastUpdated"].startswith("2020-01-01")
    fhir.bundle("history", deletion)
    assert fhir.send("GET", "Patient/a").status_code == 410
    future = {"lastUpdated": "2999-01-01T00:00:00Z"}
    late = fhir.bundle("history", entry("PUT", "Patient/b", patient("b", meta=future)))
    assert late.status_code == 400
    strange = {"request": {"method": {}, "url": "Patient/a"}, "resource": patient("a", meta=meta)}
    assert "the method '{}' is not one of a history" in fhir.bundle("history", strange).text
    many = [entry("PUT", "Patient/a", patient("a", meta=meta))] * 101
    assert fhir.bundle("history", *many).status_code == 400
