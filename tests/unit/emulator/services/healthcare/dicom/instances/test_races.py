"""Requests that others overtake: what is between two steps of one is done here by hand."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.resource_path import ResourcePath

FIRST, SECOND = "1.2.3.4.5", "1.2.3.4.6"


@pytest.fixture
def web(client: TestClient, store: str, make: Any, pixels: Any) -> str:
    """The DICOMweb address of a store with two instances of one series."""
    address = f"/v1/{store}/dicomWeb"
    headers = {"Content-Type": "application/dicom"}
    for uid in (FIRST, SECOND):
        content = make(pixels=pixels, SOPInstanceUID=uid)
        client.post(f"{address}/studies", content=content, headers=headers).raise_for_status()
    return address


@pytest.fixture
def deleted_after(
    cloud: Cloud, store: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[type, str, str], None]:
    """Has another client delete an instance right after the first call of a function."""

    def arrange(owner: Any, function: str, sop: str) -> None:
        original = getattr(owner, function)
        resource_path = ResourcePath(store, "1.2.3", "1.2.3.4", sop)

        def called(*arguments: Any, **more: Any) -> Any:
            given = original(*arguments, **more)
            monkeypatch.undo()
            other = threading.Thread(
                target=cloud.healthcare.dicom.contents.delete, args=(resource_path,)
            )
            other.start()
            other.join()
            return given

        monkeypatch.setattr(owner, function, called)

    return arrange


def test_a_deletion_that_another_user_was_faster_with_finds_nothing(
    client: TestClient, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InstanceStore, "delete", lambda *_: 0)
    answer = client.delete(f"{web}/studies/1.2.3/series/1.2.3.4/instances/{FIRST}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"The instance {FIRST} does not exist."


def test_what_a_search_finds_is_counted_as_it_was_then(
    client: TestClient, web: str, deleted_after: Any
) -> None:
    deleted_after(InstanceStore, "select", FIRST)
    deleted_after(InstanceStore, "select", SECOND)
    [study] = client.get(f"{web}/studies").json()
    assert study["00201208"]["Value"] == [2]


@pytest.mark.parametrize(
    "suffix", ["", "/rendered", "/frames/1", "/metadata", "/bulkdata/7FE00010"]
)
def test_an_instance_that_goes_between_its_row_and_its_file_is_gone(
    client: TestClient, web: str, deleted_after: Any, suffix: str
) -> None:
    path = f"{web}/studies/1.2.3/series/1.2.3.4/instances/{FIRST}{suffix}"
    deleted_after(InstanceStore, "find", FIRST)
    assert client.get(path).status_code == (200 if suffix == "/metadata" else 404)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("gone", [FIRST, SECOND])
def test_a_study_is_given_without_what_goes_meanwhile(
    client: TestClient, web: str, deleted_after: Any, gone: str
) -> None:
    deleted_after(InstanceStore, "find", gone)
    answer = client.get(f"{web}/studies/1.2.3")
    assert answer.status_code == 200
    boundary = answer.headers["Content-Type"].rpartition("boundary=")[2].strip('"').encode()
    parts = answer.content.split(b"--" + boundary)[1:-1]
    [left] = {FIRST, SECOND} - {gone}
    assert [left.encode() in part for part in parts] == [True]


def test_a_file_that_is_lost_is_an_error_of_the_server(
    client: TestClient, web: str, cloud: Cloud
) -> None:
    blobs = cloud.healthcare.dicom.contents.blobs
    blobs.remove(blobs.names())
    path = f"{web}/studies/1.2.3/series/1.2.3.4/instances/{FIRST}"
    assert client.get(path).status_code == 500


def test_a_snapshot_is_of_one_moment(cloud: Cloud, web: str, store: str) -> None:
    contents = cloud.healthcare.dicom.contents
    with contents.snapshot():
        assert contents.count(ResourcePath(store)) == 2
        other = threading.Thread(target=contents.delete, args=(ResourcePath(store),))
        other.start()
        other.join()
        assert contents.count(ResourcePath(store)) == 2
    assert contents.count(ResourcePath(store)) == 0


NAME = f"studies/1.2.3/series/1.2.3.4/instances/{SECOND}"


@pytest.mark.parametrize(
    "path",
    [
        "studies/1.2.3",
        "studies/1.2.3/series/1.2.3.4",
        NAME,
        f"{NAME}/rendered",
        f"{NAME}/frames/1",
        f"{NAME}/bulkdata/7FE00010",
    ],
)
def test_a_file_that_is_lost_is_named_to_the_client_and_in_the_log(
    client: TestClient,
    cloud: Cloud,
    store: str,
    web: str,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    resource_path = ResourcePath(store, "1.2.3", "1.2.3.4", SECOND)
    [row] = cloud.healthcare.dicom.contents.find(resource_path, "sha256")
    cloud.healthcare.dicom.contents.blobs.path(row["sha256"]).unlink()
    answer = client.get(f"{web}/{path}")
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert error["status"] == "DATA_LOSS"
    assert f"The file of {store}/dicomWeb/{NAME} is missing from" in error["message"]
    assert str(cloud.settings.state_dir) not in error["message"]
    assert f"of {store}/dicomWeb/{NAME} is missing" in caplog.text
    # As the answer advises.
    client.delete(f"{web}/{NAME}").raise_for_status()
    assert client.get(f"{web}/{path}").status_code == (404 if SECOND in path else 200)
