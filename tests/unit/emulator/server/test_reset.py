"""Emptying the state, of a running emulator and of its folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator import layout, processes, wipe
from emulator.cloud import Cloud
from emulator.layout import Ports, Running
from emulator.processes import EmulatorError
from emulator.seed import BUCKET, records
from tests.unit.emulator.conftest import LOCATION, PROJECT


def test_a_reset_forgets_everything(client: TestClient, cloud: Cloud, dataset: str) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={}).raise_for_status()
    client.put(f"/v1/{PROJECT}/topics/images", json={}).raise_for_status()
    before: dict[str, Any] = client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()
    binding = {"role": "roles/viewer", "members": ["user:a@b.example"]}
    body = {"policy": {"bindings": [*before["bindings"], binding]}}
    client.post(f"/v1/{PROJECT}:setIamPolicy", json=body).raise_for_status()

    assert client.post("/_emulator/reset").json() == {}

    assert client.get(f"/v1/{LOCATION}/datasets").status_code == 403  # no service is enabled
    assert cloud.healthcare.datasets() == []
    assert cloud.topics.list("local-project") == []
    after = client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()
    assert after["bindings"] == before["bindings"]


def test_a_page_of_another_origin_resets_nothing(
    client: TestClient, cloud: Cloud, dataset: str
) -> None:
    answer = client.post("/_emulator/reset", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert cloud.healthcare.datasets() == [dataset]


def test_health_says_how_each_service_is(client: TestClient) -> None:
    health = client.get("/_emulator/health").json()

    assert health == {"ready": True, "trouble": "", "services": {}}
    assert client.post("/_emulator/seed").json() == {}


def test_a_folder_keeps_addresses_keys_and_the_public_bucket(tmp_path: Path) -> None:
    kept = tmp_path / "storage" / BUCKET / records.load()[0].object_name
    gone = [
        tmp_path / "storage" / BUCKET / "dicom/other.dcm",
        tmp_path / "storage" / BUCKET / "mine/deep/other.dcm",
        tmp_path / "storage/mine/a.dcm",
        tmp_path / "dicom/files/a.dcm",
        tmp_path / "state.sqlite3",
        tmp_path / "emulator.log",
    ]
    stays = [kept, tmp_path / "credentials.json", tmp_path / "server.json"]
    for path in [*gone, *stays]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    wipe.everything(tmp_path)

    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(stays)
    assert not (tmp_path / "storage" / BUCKET / "mine").exists()


def test_ports_are_kept_and_told_when_they_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {2002}
    monkeypatch.setattr(processes, "is_free", lambda port: port not in taken)
    layout.record(Running(1, 1.0, Ports(2001, 2002, 2003), tmp_path))
    told: list[str] = []

    chosen = processes.choose_ports(tmp_path, Ports(), told.append)

    assert (chosen.api, chosen.storage) == (2001, 2003)
    assert chosen.bigquery not in (0, 2001, 2002, 2003)
    assert "port 2002, used last, is in use" in told[0]
    assert processes.choose_ports(tmp_path, Ports(api=2005), told.append).api == 2005
    with pytest.raises(EmulatorError, match="name another with --bigquery-port"):
        processes.choose_ports(tmp_path, Ports(bigquery=2002), told.append)
    with pytest.raises(EmulatorError, match="asked for twice"):
        processes.choose_ports(tmp_path, Ports(api=2005, storage=2005), told.append)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "ports": 2}'])
def test_a_damaged_note_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)
    (tmp_path / "children.json").write_text(content)

    assert layout.recorded(tmp_path) is None
    assert layout.children(tmp_path) == []
    assert processes.status(tmp_path) is None


def test_a_note_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    ports = {"api": 1, "bigquery": 2, "storage": 3}
    noted = {"pid": 7, "created": 1.0, "ports": ports}
    (tmp_path / "server.json").write_text(json.dumps(noted))

    assert layout.recorded(tmp_path) == Running(7, 1.0, Ports(1, 2, 3), tmp_path)


def test_the_state_is_the_projects_wherever_it_is_called_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAB_DIR", raising=False)
    assert layout.state_dir() == Path(layout.__file__).resolve().parents[1] / ".lab/emulator"

    monkeypatch.setenv("LAB_DIR", str(tmp_path / "other"))
    assert layout.state_dir() == tmp_path / "other/emulator"


def test_a_state_folder_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match=r"it must be .*/mine/emulator"):
        processes.start(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
