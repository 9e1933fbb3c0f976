"""Bulk exports of FHIR stores, as a client of the SMART protocol asks for them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.fhir_resources import observation, patient
from tests.support.fhir_ward import Ward, decoded

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin")
    ward = Ward(emulator, project)
    folder = {"bulkExportGcsDestination": {"uriPrefix": f"gs://{ward.bucket.name}/bulk"}}
    mask = "bulkExportGcsDestination"
    ward.stores.patch(name=ward.store, updateMask=mask, body=folder).execute()
    ward.put(patient("a"))
    ward.put(patient("b"))
    ward.put(observation("Patient/a", "o"))
    ward.put({"resourceType": "Practitioner", "id": "doctor"})
    return ward


def contents(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """The names of the resources in each file of a manifest, read by its URL."""
    found = {}
    for one in manifest["output"]:
        lines = [json.loads(line) for line in http.get(one["url"], timeout=30).text.splitlines()]
        found[one["type"]] = [f"{each['resourceType']}/{each['id']}" for each in lines]
        assert one["count"] == len(lines)
    return found


def test_an_export_of_a_store_has_a_file_for_each_type(ward: Ward) -> None:
    moment = ward.read("Patient/b")["meta"]["lastUpdated"]
    manifest = ward.bulk_export("$export")
    assert contents(manifest) == {
        "Observation": ["Observation/o"],
        "Patient": ["Patient/a", "Patient/b"],
        "Practitioner": ["Practitioner/doctor"],
    }
    assert manifest["requiresAccessToken"] is True
    assert manifest["request"].endswith("/fhir/$export")
    assert manifest["error"] == []
    assert manifest["transactionTime"] > moment
    query = {"_type": "Patient,Observation", "_since": moment}
    chosen = ward.bulk_export("$export", params=query)
    assert contents(chosen) == {"Observation": ["Observation/o"], "Patient": ["Patient/b"]}
    [patients] = [one["url"] for one in chosen["output"] if one["type"] == "Patient"]
    number = patients.rpartition("/")[2].partition("_")[0]
    assert ward.lines(f"bulk/{number}_Patient.ndjson")
    operation = f"{ward.store}/operations/{number}"
    operations = ward.stores.operations()
    by_client = decoded(operations.get_fhir_operation_status(name=operation))
    assert by_client["output"] == chosen["output"]
    with pytest.raises(HttpError) as done:
        operations.delete_fhir_operation(name=operation).execute()
    assert done.value.status_code == 409


def test_an_export_of_a_group_has_the_data_of_its_patients(ward: Ward) -> None:
    members = [{"entity": {"reference": name}} for name in ("Patient/a", "Practitioner/doctor")]
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    ward.put({**group, "member": members})
    path, query = "Group/g/$export", {"organizeOutputBy": "Patient"}
    wanted = {
        "Patient": ["Patient/a", "Observation/o"],
        "Group": ["Group/g"],
        "Practitioner": ["Practitioner/doctor"],
    }
    assert contents(ward.bulk_export(path, params=query)) == wanted
    given = [
        {"name": "organizeOutputBy", "valueString": "Patient"},
        {"name": "_type", "valueString": "Patient"},
    ]
    body = {"resourceType": "Parameters", "parameter": given}
    assert contents(ward.bulk_export(path, "POST", json=body)) == {"Patient": ["Patient/a"]}


def test_an_export_that_can_not_be_done_is_refused(ward: Ward, grant: Callable[..., None]) -> None:
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    ward.put(group)

    def refused(path: str, **more: Any) -> tuple[int, str]:
        answer = ward.begin_bulk_export(path, **more)
        return answer.status_code, answer.json()["issue"][0]["diagnostics"]

    for path, code, culprit in (
        ("$export?_type=Nothing", 400, "Nothing"),
        ("$export?_since=yesterday", 400, "_since"),
        ("$export?_outputFormat=csv", 400, "_outputFormat"),
        ("Group/g/$export", 400, "organizeOutputBy"),
        ("Group/none/$export?organizeOutputBy=Patient", 404, "Group/none"),
    ):
        status, message = refused(path)
        assert (status, culprit in message) == (code, True), message
    url = f"{ward.root}/v1/{ward.name('$export')}"
    for headers, culprit in (
        ({"Accept": "application/fhir+json"}, "Prefer"),
        ({"Accept": "application/json", "Prefer": "respond-async"}, "Accept"),
    ):
        answer = http.get(url, headers=headers, timeout=30)
        assert (answer.status_code, culprit in answer.text) == (400, True)
    absent = http.get(f"{ward.root}/v1/{ward.store}/operations/1", timeout=30)
    assert (absent.status_code, absent.json()["issue"][0]["code"]) == (404, "not-found")
    grant()
    code, message = refused("$export")
    assert (code, "storage.objects.create" in message) == (403, True)
    mask = "bulkExportGcsDestination"
    ward.stores.patch(name=ward.store, updateMask=mask, body={}).execute()
    code, message = refused("$export")
    assert (code, "bulk_export_gcs_destination" in message) == (400, True)
