"""Updates of instances and patches of their metadata, in v1beta1."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pydicom
import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.core.operations.runner import Operations
from tests.support.dicom_files import Make, multipart
from tests.support.waiting import wait_until

INSTANCE = "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"
PATIENT = {"op": "add", "path": "/00100010", "value": {"vr": "PN", "Value": [{"Alphabetic": "B"}]}}
JSON = {"Accept": "application/dicom+json"}
DICOM = {"Content-Type": "application/dicom", **JSON}


@pytest.fixture
def web(store: str) -> str:
    return f"/v1beta1/{store}/dicomWeb"


@pytest.fixture
def blobs(cloud: Cloud) -> Callable[[], set[str]]:
    return cloud.healthcare.dicom.contents.blobs.names


def patch(client: TestClient, url: str, *operations: Any) -> Any:
    answer = client.patch(f"{url}/metadata", json=list(operations))
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(client: TestClient, name: str) -> Any:
    """Return an operation if it is done."""
    found = client.get(f"/v1beta1/{name}").json()
    return found if found.get("done") else None


def refusal(client: TestClient, url: str, *operations: Any) -> str:
    answer = client.patch(f"{url}/metadata", json=list(operations))
    assert answer.status_code == 400
    return str(answer.json()["error"]["message"])


def test_an_update_adds_an_instance_and_then_replaces_it(
    client: TestClient, web: str, make: Make, blobs: Callable[[], set[str]]
) -> None:
    added = client.put(f"{web}/studies", content=make(PatientID="old"), headers=DICOM)
    assert added.status_code == 200
    before = blobs()
    replaced = client.put(f"{web}/studies/1.2.3", content=make(PatientID="new"), headers=DICOM)
    [reference] = replaced.json()["00081199"]["Value"]
    assert reference["00081155"]["Value"] == ["1.2.3.4.5"]
    found = client.get(f"{web}/instances?PatientID=new&includefield=PatientID").json()
    assert [one["00100020"]["Value"] for one in found] == [["new"]]
    assert client.get(f"{web}/instances?PatientID=old").status_code == 204
    assert len(blobs()) == 1
    assert blobs() != before


def test_an_update_takes_several_files_and_reports_each(
    client: TestClient, web: str, make: Make
) -> None:
    client.put(f"{web}/studies", content=make(), headers=DICOM)
    body, content_type = multipart(
        [make(PatientID="p2"), make(SOPInstanceUID="1.2.3.4.6"), b"no DICOM"]
    )
    answer = client.put(
        f"{web}/studies", content=body, headers={"Content-Type": content_type, **JSON}
    )
    assert answer.status_code == 409
    assert len(answer.json()["00081199"]["Value"]) == 2
    assert len(answer.json()["00081198"]["Value"]) == 1
    assert len(client.get(f"{web}/instances").json()) == 2


def test_an_update_is_of_the_study_of_its_path(client: TestClient, web: str, make: Make) -> None:
    answer = client.put(f"{web}/studies/1.9", content=make(), headers=DICOM)
    assert answer.status_code == 409
    assert "study mismatch" in answer.text


def test_an_update_by_json_metadata_is_refused(client: TestClient, web: str) -> None:
    content_type = 'multipart/related; type="application/dicom+json"; boundary=b'
    answer = client.put(f"{web}/studies", content=b"--b--", headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert "PATCH the metadata" in answer.json()["error"]["message"]


def test_version_1_has_neither(client: TestClient, web: str, make: Make) -> None:
    stable = web.replace("v1beta1", "v1")
    assert client.put(f"{stable}/studies", content=make(), headers=DICOM).status_code >= 400
    assert client.patch(f"{stable}/{INSTANCE}/metadata", json=[]).status_code >= 400


def test_the_storage_class_of_an_updated_instance_is_that_of_a_new_one(
    client: TestClient, cloud: Cloud, web: str, store: str, resource_path: Any, make: Make
) -> None:
    contents = cloud.healthcare.dicom.contents
    client.put(f"{web}/studies", content=make(), headers=DICOM)
    contents.set_storage_class(resource_path, "ARCHIVE")
    patch(client, f"{web}/{INSTANCE}", PATIENT)
    assert contents.find(resource_path)[0]["storage_class"] == "ARCHIVE"
    client.put(f"{web}/studies", content=make(PatientID="p2"), headers=DICOM)
    assert contents.find(resource_path)[0]["storage_class"] == "STANDARD"


def test_a_patched_instance_is_found_by_its_new_values(
    client: TestClient, web: str, make: Make, blobs: Callable[[], set[str]], tmp_path: Path
) -> None:
    content = make(PatientName="A", StudyDescription="kept", PatientComments="gone")
    client.put(f"{web}/studies", content=content, headers=DICOM)
    [model] = patch(
        client,
        f"{web}/{INSTANCE}",
        {"op": "test", "path": "/00100010/Value/0/Alphabetic", "value": "A"},
        {"op": "replace", "path": "/00100010/Value/0/Alphabetic", "value": "Roe^Jane"},
        {"op": "remove", "path": "/00104000"},
        {"op": "add", "path": "/00180015", "value": {"vr": "CS", "Value": ["CHEST"]}},
    )
    assert model["00100010"]["Value"] == [{"Alphabetic": "Roe^Jane"}]
    assert "00104000" not in model
    assert client.get(f"{web}/studies?PatientName=Roe*").status_code == 200
    assert client.get(f"{web}/studies?PatientName=A").status_code == 204
    file = client.get(
        f"{web}/{INSTANCE}", headers={"Accept": "application/dicom; transfer-syntax=*"}
    )
    dataset = pydicom.dcmread(io.BytesIO(file.content))
    assert dataset.BodyPartExamined == "CHEST"
    assert dataset.StudyDescription == "kept"
    assert dataset.PatientName == "Roe^Jane"
    assert len(blobs()) == 1


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "remove", "path": "/00104000"}, "Operation 0 of the patch names a path that"),
        ({"op": "test", "path": "/00100020/Value/0", "value": "x"}, "tests a value that is"),
        ({"op": "replace", "path": "/0020000D/Value/0", "value": "1"}, "0020000D identifies"),
        ({"op": "add", "path": "/7FE00010", "value": {"vr": "OW"}}, "7FE00010 is pixel data"),
        ({"op": "remove", "path": "/00020010"}, "00020010 is file meta information"),
        (
            {"op": "add", "path": "/00080005", "value": {"vr": "CS", "Value": ["ISO_IR 100"]}},
            "00080005, the character set, can be patched to ISO_IR 192 only",
        ),
        ({"op": "add", "path": "/PatientName", "value": {"vr": "PN"}}, "a tag is 8 digits"),
        ({"op": "add", "path": "/00100010", "value": {"Value": []}}, "00100010 has no vr"),
        ({"op": "add", "path": "/00100010", "value": {"vr": "LO"}}, "must be of the vr PN"),
        ({"op": "add", "path": "/00100010", "value": "Roe"}, "is not an element of DICOM JSON"),
        ({"op": "replace", "path": "", "value": []}, "something that is not an object"),
        ({"op": "increase", "path": "/00100010"}, "Operation 0 of the patch needs an op, one of"),
        ({"op": "add", "path": "/00100010"}, "needs a value"),
        ({"op": "move", "path": "/00100010"}, "needs a from"),
        ({"op": "remove"}, "needs a path"),
        (
            {
                "op": "add",
                "path": "/00420011",
                "value": {"vr": "OB", "BulkDataURI": "http://x/bulkdata/00420011"},
            },
            "has a BulkDataURI that is none of this instance",
        ),
        (
            {"op": "add", "path": "/00280010", "value": {"vr": "US", "Value": ["many"]}},
            "not valid DICOM JSON",
        ),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(
    client: TestClient,
    web: str,
    make: Make,
    operation: Any,
    reason: str,
    blobs: Callable[[], set[str]],
    cloud: Cloud,
) -> None:
    client.put(f"{web}/studies", content=make(PatientID="secret"), headers=DICOM)
    before = blobs()
    text = refusal(client, f"{web}/{INSTANCE}", operation)
    assert reason in text
    assert "secret" not in text
    assert blobs() == before
    assert not list(cloud.healthcare.dicom.contents.blobs.staging.iterdir())


def test_the_body_of_a_patch_is_an_array_of_json(client: TestClient, web: str, make: Make) -> None:
    client.put(f"{web}/studies", content=make(), headers=DICOM)
    url = f"{web}/{INSTANCE}/metadata"
    assert "an array of operations" in client.patch(url, json={}).text
    headers = {"Content-Type": "application/json-patch+json"}
    assert "is not JSON" in client.patch(url, content=b"[", headers=headers).text
    headers = {"Content-Type": "application/dicom+json"}
    assert (
        "must be application/json-patch+json"
        in client.patch(url, content=b"[]", headers=headers).text
    )


@pytest.mark.parametrize("level", [1, 2, 3])
def test_what_does_not_exist_is_not_patched(client: TestClient, web: str, level: int) -> None:
    path = "/".join(INSTANCE.split("/")[: level * 2])
    answer = client.patch(f"{web}/{path}/metadata", json=[PATIENT])
    assert answer.status_code == 404


def test_a_patch_of_a_study_is_an_operation_that_counts_instances(
    client: TestClient, web: str, make: Make
) -> None:
    client.put(f"{web}/studies", content=make(PatientComments="x"), headers=DICOM)
    client.put(f"{web}/studies", content=make(SOPInstanceUID="1.2.3.4.6"), headers=DICOM)
    removal = {"op": "remove", "path": "/00104000"}
    operation = patch(client, f"{web}/studies/1.2.3", removal, PATIENT)
    done = wait_until(lambda: ended(client, operation["name"]), "the patch does not end")
    assert done["metadata"]["apiMethodName"].endswith("DicomWebService.UpdateStudyMetadata")
    assert done["metadata"]["counter"] == {"success": "1", "failure": "1"}
    found = client.get(f"{web}/instances?includefield=PatientName").json()
    assert sorted("00100010" in one for one in found) == [False, True]


def test_an_operation_that_is_cut_before_its_result_patches_no_instance_twice(
    client: TestClient, cloud: Cloud, web: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put(f"{web}/studies", content=make(SoftwareVersions="1"), headers=DICOM)
    cut = Event()
    addition = {"op": "add", "path": "/00181020/Value/-", "value": "2"}
    with monkeypatch.context() as crash:
        crash.setattr(Operations, "_finish", lambda *_: cut.set())
        operation = patch(client, f"{web}/studies/1.2.3", addition)
        assert cut.wait(30)

    cloud.healthcare.dicom.operations.resume_interrupted()
    done = wait_until(lambda: ended(client, operation["name"]), "the patch does not end")

    assert done["metadata"]["counter"] == {"success": "1"}
    [found] = client.get(f"{web}/instances?includefield=SoftwareVersions").json()
    assert found["00181020"]["Value"] == ["1", "2"]


def test_the_records_of_operations_that_ended_are_deleted(
    client: TestClient, cloud: Cloud, web: str, make: Make
) -> None:
    client.put(f"{web}/studies", content=make(), headers=DICOM)
    names = []
    for _ in range(2):
        names.append(patch(client, f"{web}/studies/1.2.3", PATIENT)["name"])
        wait_until(lambda: ended(client, names[-1]), "the patch does not end")
    with cloud.database.read() as connection:
        rows = connection.execute("SELECT DISTINCT operation FROM dicom_patched").fetchall()
    assert [row["operation"] for row in rows] == names[1:]


def test_json_of_a_patch_may_be_long_but_not_endless(
    client: TestClient, web: str, make: Make
) -> None:
    client.put(f"{web}/studies", content=make(), headers=DICOM)
    body = json.dumps([PATIENT]).encode() + b" " * (10 << 20)
    answer = client.patch(f"{web}/{INSTANCE}/metadata", content=body)
    assert answer.status_code == 413
