"""Emptying the state, of a running emulator and of its folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.core.database import ALL
from emulator.seed import records
from emulator.server import lifecycle, reset, running_processes, server_file, state_dir
from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo
from emulator.services.storage.public_bucket import BUCKET, PATIENTS_BUCKET
from tests.support.emulator_names import LOCATION, PROJECT


def test_a_reset_forgets_everything(client: TestClient, cloud: Cloud, dataset: str) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={}).raise_for_status()
    client.put(f"/v1/{PROJECT}/topics/images", json={}).raise_for_status()
    before: dict[str, Any] = client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()
    binding = {"role": "roles/viewer", "members": ["user:a@b.example"]}
    body = {"policy": {"bindings": [*before["bindings"], binding]}}
    client.post(f"/v1/{PROJECT}:setIamPolicy", json=body).raise_for_status()

    assert client.post("/_emulator/reset").json() == {}

    assert client.get(f"/v1/{LOCATION}/datasets").status_code == 403  # no service is enabled
    assert cloud.healthcare.resources.datasets() == []
    assert cloud.pubsub.topics.page("local-project", None, ALL) == []
    after = client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()
    assert after["bindings"] == before["bindings"]


def test_a_page_of_another_origin_resets_nothing(
    client: TestClient, cloud: Cloud, dataset: str
) -> None:
    answer = client.post("/_emulator/reset", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert cloud.healthcare.resources.datasets() == [dataset]


def test_health_says_how_each_service_is(client: TestClient) -> None:
    health = client.get("/_emulator/health").json()

    assert health == {"ready": True, "trouble": "", "services": {}}
    assert client.post("/_emulator/seed").json() == {}


def test_a_folder_keeps_addresses_keys_and_the_public_buckets(tmp_path: Path) -> None:
    kept = tmp_path / "storage" / BUCKET / records.load()[0].object_name
    gone = [
        tmp_path / "storage" / BUCKET / "dicom/other.dcm",
        tmp_path / "storage" / BUCKET / "mine/deep/other.dcm",
        tmp_path / "storage/mine/a.dcm",
        tmp_path / "dicom/files/a.dcm",
        tmp_path / "state.sqlite3",
        tmp_path / "emulator.log",
    ]
    patients = tmp_path / "storage" / PATIENTS_BUCKET
    gone.append(patients / "other.ndjson")
    stays = [
        kept,
        patients / "Patient.ndjson",
        tmp_path / "credentials.json",
        tmp_path / "server.json",
    ]
    for path in [*gone, *stays]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    reset.reset_state(tmp_path)

    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(stays)
    assert not (tmp_path / "storage" / BUCKET / "mine").exists()


def test_ports_are_kept_and_reported_when_they_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {2002}
    monkeypatch.setattr(lifecycle, "is_free", lambda port: port not in taken)
    server_file.write_server_info(ServerInfo(1, 1.0, Ports(2001, 2002, 2003), tmp_path))
    messages: list[str] = []

    chosen = lifecycle.choose_ports(tmp_path, Ports(), messages.append)

    assert (chosen.api, chosen.storage) == (2001, 2003)
    assert chosen.bigquery not in (0, 2001, 2002, 2003)
    assert "port 2002, used last, is in use" in messages[0]
    assert lifecycle.choose_ports(tmp_path, Ports(api=2005), messages.append).api == 2005
    with pytest.raises(EmulatorError, match="choose another port with --bigquery-port"):
        lifecycle.choose_ports(tmp_path, Ports(bigquery=2002), messages.append)
    with pytest.raises(EmulatorError, match="given twice"):
        lifecycle.choose_ports(tmp_path, Ports(api=2005, storage=2005), messages.append)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "ports": 2}'])
def test_a_damaged_note_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)
    (tmp_path / "children.json").write_text(content)

    assert server_file.read_server_info(tmp_path) is None
    assert running_processes.running_children(tmp_path) == []
    assert lifecycle.status(tmp_path) is None


def test_a_note_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    ports = {"api": 1, "bigquery": 2, "storage": 3}
    noted = {"pid": 7, "created": 1.0, "ports": ports}
    (tmp_path / "server.json").write_text(json.dumps(noted))

    assert server_file.read_server_info(tmp_path) == ServerInfo(7, 1.0, Ports(1, 2, 3), tmp_path)


def test_the_state_is_the_projects_wherever_it_is_called_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAB_DIR", raising=False)
    assert state_dir.state_dir() == Path(state_dir.__file__).resolve().parents[2] / ".lab/emulator"

    monkeypatch.setenv("LAB_DIR", str(tmp_path / "other"))
    assert state_dir.state_dir() == tmp_path / "other/emulator"


def test_a_state_folder_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match=r"use .*/mine/emulator"):
        lifecycle.start(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
