"""A disk that is full or refuses: the answer names the cause, and nothing is half written."""

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.core import disk
from emulator.core.operations.operation_type import OperationRun
from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from emulator.services.healthcare.dicom.dicomweb.request_body import MAX_MEMORY_BYTES
from emulator.services.healthcare.operation_types import operation_type
from tests.support.dicom_files import make_dicom

PARENT = "projects/local-project/locations/us-central1/datasets/d"
METHOD = "dicom.DicomService.ImportDicomData"


def pages(cloud: Cloud, most: int) -> None:
    """Let the database have no more pages than it has, or many."""
    with cloud.database.write() as connection:
        connection.execute(f"PRAGMA max_page_count = {most}")


def policy(size: int) -> dict[str, Any]:
    members = [f"user:{number}@example.com" for number in range(size)]
    return {"policy": {"bindings": [{"role": "roles/viewer", "members": members}]}}


def test_a_full_disk_is_a_507_and_all_is_well_once_there_is_space(
    client: TestClient, cloud: Cloud, dataset: str
) -> None:
    acknowledged = client.post(f"/v1/{dataset}:setIamPolicy", json=policy(1)).json()
    pages(cloud, 1)

    refused = client.post(f"/v1/{dataset}:setIamPolicy", json=policy(2000))

    assert refused.status_code == 507
    error = refused.json()["error"]
    assert (error["code"], error["status"]) == (507, "RESOURCE_EXHAUSTED")
    assert f"No space is left for the state folder {cloud.settings.state_dir}" in error["message"]
    pages(cloud, 1_000_000)
    found = client.get(f"/v1/{dataset}:getIamPolicy").json()
    assert found["bindings"] == acknowledged["bindings"]
    client.post(f"/v1/{dataset}:setIamPolicy", json=policy(2000)).raise_for_status()


def test_a_read_only_database_is_a_503(client: TestClient, cloud: Cloud, dataset: str) -> None:
    with cloud.database.write() as connection:
        connection.execute("PRAGMA query_only = ON")

    refused = client.post(f"/v1/{dataset}:setIamPolicy", json=policy(1))

    assert refused.status_code == 503
    message = refused.json()["error"]["message"]
    assert f"{cloud.settings.state_dir} can't be written" in message
    assert "readonly" in message


class _FailsToCommit:
    """A connection whose disk is full at the commit, which leaves the transaction open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.refuses = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *parameters: Any) -> Any:
        if statement == "COMMIT" and self.refuses:
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(statement, *parameters)


def test_a_commit_that_fails_does_not_block_the_next(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = _FailsToCommit(cloud.database._writer)
    monkeypatch.setattr(cloud.database, "_writer", writer)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        cloud.healthcare.resources.create("p/datasets", "lost", {})
    writer.refuses = False

    cloud.healthcare.resources.create("p/datasets", "kept", {})

    assert cloud.healthcare.resources.datasets() == ["p/datasets/kept"]


def test_an_operation_ends_once_its_end_can_be_written(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = _FailsToCommit(cloud.database._writer)
    writer.refuses = False
    monkeypatch.setattr(cloud.database, "_writer", writer)

    def run(operation: OperationRun) -> dict[str, Any]:
        writer.refuses = True
        raise OSError(28, "No space left on device")

    cloud.operations.register(operation_type(METHOD, run))
    name = cloud.operations.start(PARENT, METHOD, {}, version="v1")["name"]
    assert "done" not in cloud.operations.wait(name, 0.3)
    writer.refuses = False

    error = cloud.operations.wait(name, 10)["error"]
    assert error["code"] == 8
    assert "No space is left" in error["message"]


@pytest.mark.parametrize("number", [2, 104])
def test_other_troubles_are_not_the_disks(number: int) -> None:
    assert disk.disk_error(OSError(number, "something else"), Path("/state")) is None


def test_a_body_that_finds_no_room_leaves_no_file(
    client: TestClient, cloud: Cloud, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=s", json={}).raise_for_status()
    blobs = cloud.healthcare.dicom.contents.blobs

    def full() -> Path:
        path = blobs.staging / "full"
        path.symlink_to("/dev/full")
        return path

    monkeypatch.setattr(blobs, "new_staging_file", full)
    url = f"/v1/{dataset}/dicomStores/s/dicomWeb/studies"
    long = bytes(MAX_MEMORY_BYTES + 1)
    parts = b"--b\r\n\r\n" + long + b"\r\n--b--\r\n"
    for media_type, content in (
        ("application/dicom", long),
        ('multipart/related; type="application/dicom"; boundary=b', parts),
    ):
        answer = client.post(url, content=content, headers={"Content-Type": media_type})

        assert answer.status_code == 507, answer.text
        assert list(blobs.staging.iterdir()) == []


def test_a_small_body_that_finds_no_room_leaves_no_file(
    client: TestClient, cloud: Cloud, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=s", json={}).raise_for_status()

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk, "write_and_fsync", full)
    url = f"/v1/{dataset}/dicomStores/s/dicomWeb/studies"
    answer = client.post(url, content=make_dicom(), headers={"Content-Type": "application/dicom"})

    assert answer.status_code == 507, answer.text
    assert list(cloud.healthcare.dicom.contents.blobs.staging.iterdir()) == []


def test_a_state_folder_that_can_not_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file, which not even root can make a folder in")

    with pytest.raises(
        EmulatorError, match=f"The state folder {tmp_path}/lab/emulator is not writable"
    ):
        lifecycle.start(tmp_path / "lab" / "emulator")
