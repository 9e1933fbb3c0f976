"""States that earlier versions of the emulator wrote, opened by this one."""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.database import (
    STATE_FILE,
    STATE_VERSION,
    Database,
    NewerStateError,
    check_version,
)
from emulator.migrations import MIGRATIONS
from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from tests.support.dicom_files import make_dicom

OLD_STATE = Path(__file__).parents[2] / "data" / "state-388b2b7"
DATASET = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicom1"


def copy_old_state(folder: Path) -> Path:
    """Unpack the old state into a folder; return its database file."""
    shutil.copytree(OLD_STATE / "dicom", folder / "dicom")
    file = folder / STATE_FILE
    file.write_bytes(gzip.decompress((OLD_STATE / f"{STATE_FILE}.gz").read_bytes()))
    return file


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.fixture
def old_state(tmp_path: Path) -> Path:
    """The database file of a copy of the old state, in `tmp_path`."""
    return copy_old_state(tmp_path)


@pytest.fixture
def old(old_state: Path, open_cloud: Callable[..., Cloud]) -> Any:
    """A client of the emulator that opened the old state."""
    with TestClient(create_app(open_cloud()), "http://127.0.0.1") as client:
        yield client


def get(client: TestClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_version_is_the_number_of_migrations() -> None:
    assert len(MIGRATIONS) == STATE_VERSION


def test_a_state_without_a_version_is_migrated(old: TestClient, old_state: Path) -> None:
    assert version_of(old_state) == STATE_VERSION
    stores = get(old, f"/v1/{DATASET}/dicomStores")["dicomStores"]
    assert [(store["name"], store["labels"]) for store in stores] == [(STORE, {"env": "old"})]
    for collection, name in (
        ("fhirStores", "fhir1"),
        ("hl7V2Stores", "hl71"),
        ("consentStores", "consent1"),
    ):
        [store] = get(old, f"/v1/{DATASET}/{collection}")[collection]
        assert store["name"] == f"{DATASET}/{collection}/{name}"
    [binding] = get(old, f"/v1/{STORE}:getIamPolicy")["bindings"]
    assert binding["members"] == ["user:anna@example.com"]
    [operation] = get(old, f"/v1/{DATASET}/operations")["operations"]
    assert operation["done"] is True
    pulled = old.post(
        "/v1/projects/local-project/subscriptions/images-pull:pull", json={"maxMessages": 10}
    )
    assert [one["message"]["data"] for one in pulled.json()["receivedMessages"]] == ["aGVsbG8="]
    ring = "projects/local-project/locations/us-central1/keyRings/ring"
    [key] = get(old, f"/v1/{ring}/cryptoKeys")["cryptoKeys"]
    assert key["primary"]["state"] == "ENABLED"


def test_instances_of_an_old_state_are_found_and_retrieved(old: TestClient) -> None:
    studies = get(old, f"/v1/{STORE}/dicomWeb/studies?PatientName=smith^JOHN")
    assert [study["0020000D"]["Value"] for study in studies] == [["1.2.2"]]
    answer = old.get(
        f"/v1/{STORE}/dicomWeb/studies/1.2.2/series/1.2.2.1/instances/1.2.2.1.1",
        headers={"Accept": "application/dicom; transfer-syntax=*"},
    )
    assert answer.content[128:132] == b"DICM"


def test_a_migrated_state_is_opened_again(
    old_state: Path, open_cloud: Callable[..., Cloud]
) -> None:
    open_cloud().close()
    with closing(sqlite3.connect(old_state)) as connection:
        before = list(connection.iterdump())
    open_cloud()
    with closing(sqlite3.connect(old_state)) as connection:
        assert list(connection.iterdump()) == before


def test_a_migrated_state_has_the_tables_of_a_new_one(
    old_state: Path, tmp_path: Path, open_cloud: Callable[..., Cloud]
) -> None:
    open_cloud()
    Database(tmp_path / "new" / STATE_FILE, MIGRATIONS).close()

    def columns(path: Path) -> dict[str, list[str]]:
        with closing(sqlite3.connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
            return {
                name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
                for (name,) in names
            }

    assert columns(old_state) == columns(tmp_path / "new" / STATE_FILE)


def test_rows_that_wait_for_bigquery_move_to_the_outbox(
    old_state: Path, open_cloud: Callable[..., Cloud]
) -> None:
    own = {"PatientID": {"type": "STRING", "mode": "NULLABLE"}}
    with closing(sqlite3.connect(old_state)) as connection, connection:
        connection.executemany(
            "INSERT INTO dicom_stream_rows (store, uri, row, schema) VALUES (?, ?, ?, ?)",
            [
                (STORE, f"bq://p.d.t{number}", '{"Type":"CREATE"}', json.dumps(own))
                for number in "12"
            ],
        )
    with open_cloud().database.read() as connection:
        rows = connection.execute("SELECT * FROM bigquery_outbox ORDER BY id").fetchall()
    assert [(row["store"], row["uri"], row["row"]) for row in rows] == [
        (STORE, f"bq://p.d.t{number}", '{"Type":"CREATE"}') for number in "12"
    ]
    schema = json.loads(rows[0]["schema"])
    assert schema.items() >= own.items()
    assert schema.keys() == {
        "PatientID",
        *("BlobStorageSize", "DroppedTags", "LastUpdated", "StorageClass", "Type"),
    }


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / STATE_FILE
    Database(path, ["CREATE TABLE a (x);"]).close()

    def crash(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO a VALUES (1)")
        connection.execute("CREATE TABLE b (x)")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Database(path, ["CREATE TABLE a (x);", crash])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM a").fetchall() == []
        assert "b" not in {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert version_of(path) == 1


def test_a_newer_state_is_refused_before_anything_is_changed(
    old_state: Path, open_cloud: Callable[..., Cloud]
) -> None:
    set_version(old_state, STATE_VERSION + 1)
    before = old_state.read_bytes()
    with pytest.raises(NewerStateError, match=r"a newer emulator wrote it.*emulator reset"):
        check_version(old_state)
    with pytest.raises(NewerStateError):
        open_cloud()
    assert old_state.read_bytes() == before


def test_a_start_on_a_newer_state_says_how_to_go_on(tmp_path: Path) -> None:
    state = tmp_path / "emulator"
    copy_old_state(state)
    set_version(state / STATE_FILE, STATE_VERSION + 1)
    with pytest.raises(EmulatorError, match=r"version \d+, but this emulator supports"):
        lifecycle.start(state)
    assert not (state / "server.json").exists()


def test_instances_whose_values_are_read_otherwise_are_read_again(
    old_state: Path, open_cloud: Callable[..., Cloud], tmp_path: Path
) -> None:
    content = make_dicom(
        SpecificCharacterSet="ISO_IR 192",
        PatientName="A^B=山",
        ImageType=["ORIGINAL", "", "AXIAL"],
        SOPInstanceUID="1.9",
    )
    name = sha256(content).hexdigest()
    with closing(sqlite3.connect(old_state)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(dicom_instances)")]
        known = connection.execute("SELECT * FROM dicom_instances").fetchone()
        row = dict(zip(columns, known, strict=True))
        others = connection.execute("SELECT COUNT(*) FROM dicom_instances").fetchone()[0]
        row |= {
            "id": 1000,
            "sop": "1.9",
            "sha256": name,
            "frames": 0,
            "metadata": '{"00080008":{"Value":["ORIGINAL",NaN,""],"vr":"CS"}}',
        }
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO dicom_instances ({names}) VALUES ({marks})",
            list(row.values()),
        )
    cloud = open_cloud()
    contents = cloud.healthcare.dicom.contents
    [unread] = contents.select("SELECT * FROM dicom_instances WHERE id = 1000")
    assert unread["frames"] == 0, "a file that is missing changes nothing"
    assert contents.select("SELECT * FROM dicom_outdated") == []
    contents.blobs.path(name).write_bytes(content)
    with cloud.database.write() as connection:
        connection.execute("INSERT INTO dicom_outdated VALUES (1000)")
    cloud.close()
    contents = open_cloud().healthcare.dicom.contents
    [found] = contents.select("SELECT * FROM dicom_instances WHERE id = 1000")
    metadata = json.loads(found["metadata"])
    assert metadata["00080008"]["Value"] == ["ORIGINAL", None, "AXIAL"]
    assert json.loads(found["bigquery_row"])["ImageType"] == ["ORIGINAL", "", "AXIAL"]
    assert found["frames"] == 1
    values = contents.select("SELECT value FROM dicom_other_values WHERE instance = 1000")
    assert [row["value"] for row in values] == ["a^b=山", "山"]
    assert contents.count(ResourcePath(row["store"])) == others + 1


def test_metadata_get_the_file_meta_information_that_rows_of_bigquery_have(
    old_state: Path, open_cloud: Callable[..., Cloud]
) -> None:
    contents = open_cloud().healthcare.dicom.contents
    for row in contents.select("SELECT metadata, bigquery_row FROM dicom_instances"):
        metadata, columns = json.loads(row["metadata"]), json.loads(row["bigquery_row"])
        assert row["metadata"] == json.dumps(
            metadata, separators=(",", ":"), sort_keys=True, ensure_ascii=False
        )
        assert metadata["00020010"] == {"Value": [columns["TransferSyntaxUID"]], "vr": "UI"}
        assert "0020000D" in metadata
