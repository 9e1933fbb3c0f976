"""Rows that wait for BigQuery."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.healthcare.dicom import streams
from emulator.healthcare.dicom.additions import Incoming
from emulator.healthcare.dicom.bigquery import BigQuery, Table
from emulator.healthcare.dicom.bigquery_layouts import Layout
from emulator.healthcare.dicom.places import Place

URI = "bq://local-project.streamed.instances"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What arrives in BigQuery, which is always there."""
    arrived: list[tuple[str, bytes]] = []

    def load(_: BigQuery, table: Table, __: Any, disposition: str, rows: Iterable[bytes]) -> None:
        assert disposition == "WRITE_APPEND"
        arrived.extend((str(table), row) for row in rows)

    monkeypatch.setattr(BigQuery, "load", load)
    return arrived


@pytest.fixture
def streaming(cloud: Cloud) -> Iterator[Callable[[], streams.Streams]]:
    """Makes streams over the same waiting rows, as each start of the emulator does."""
    made: list[streams.Streams] = []
    target = streams.Target(URI, Layout("projects/p/store", "http://127.0.0.1:1/v1"))

    def make() -> streams.Streams:
        made.append(streams.Streams(cloud.database, "http://127.0.0.1:1", lambda _: [target], _may))
        return made[-1]

    yield make
    for one in made:
        one.close()


def _may(*_: str) -> bool:
    return True


def waiting(cloud: Cloud) -> int:
    with cloud.database.read() as connection:
        return int(connection.execute("SELECT COUNT(*) FROM dicom_stream_rows").fetchone()[0])


def test_rows_wait_while_bigquery_is_away_and_over_a_restart(
    cloud: Cloud,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], Incoming],
    streaming: Callable[[], streams.Streams],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = streaming()
    records = [incoming(make(SOPInstanceUID=f"1.2.{number}")).record for number in range(3)]
    changes = [streams.Change(one.row, one.schema, one.size, "STANDARD") for one in records]
    with cloud.database.write() as connection:
        first.add(connection, "projects/p/store", changes)
    first.start()
    deadline = time.monotonic() + 30
    while "away" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    first.close()
    assert waiting(cloud) == 3
    arrived: list[bytes] = []
    monkeypatch.setattr(BigQuery, "load", lambda *call: arrived.extend(call[4]))
    second = streaming()
    second.start()
    while waiting(cloud) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [b'"SOPInstanceUID":"1.2.%d"' % number in row for number, row in enumerate(arrived)] == [
        True
    ] * 3


def test_a_transaction_that_fails_leaves_no_row(
    cloud: Cloud,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], Incoming],
    streaming: Callable[[], streams.Streams],
    loaded: list[tuple[str, bytes]],
) -> None:
    one = streaming()
    record = incoming(make()).record
    changes = [streams.Change(record.row, record.schema, record.size, "STANDARD")]

    def fail() -> None:
        with cloud.database.write() as connection:
            one.add(connection, "projects/p/store", changes)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(cloud) == 0
    assert loaded == []


def test_each_change_waits_as_a_row_and_the_end_of_the_store_does_not(
    cloud: Cloud,
    client: TestClient,
    place: Place,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], Incoming],
) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"streamConfigs": [{"bigqueryDestination": {"tableUri": URI}}]}

    cloud.dicom.streams.close()  # so that all rows go on waiting
    cloud.healthcare.update(place.store, change)
    sops = ("1.2.1", "1.2.2", "1.2.3")
    cloud.dicom.contents.add(
        place.store, [incoming(make(SOPInstanceUID=sop)) for sop in sops], "NEARLINE"
    )
    cloud.dicom.contents.set_storage_class(
        Place(place.store, "1.2.3", "1.2.3.4", "1.2.1"), "ARCHIVE"
    )
    cloud.dicom.contents.delete(Place(place.store, "1.2.3", "1.2.3.4", "1.2.2"))
    client.delete(f"/v1/{place.store}").raise_for_status()
    with cloud.database.read() as connection:
        rows = [
            json.loads(row["row"])
            for row in connection.execute("SELECT row FROM dicom_stream_rows ORDER BY id")
        ]
    assert [(row["Type"], row["SOPInstanceUID"], row["StorageClass"]) for row in rows] == [
        *(("CREATE", sop, "NEARLINE") for sop in sops),
        ("CREATE", "1.2.1", "ARCHIVE"),
        ("DELETE", "1.2.2", "NEARLINE"),
    ]
    assert all(row["PatientID"] == "p1" for row in rows)


@pytest.mark.parametrize(
    ("option", "code", "culprit"),
    [
        ({"changeDataCaptureConfig": {}}, 501, "changeDataCaptureConfig is not served"),
        ({"schemaJson": {}, "schemaFlattened": {}}, 400, "schema_json and schema_flattened"),
    ],
)
def test_layouts_that_can_not_be_are_refused(
    client: TestClient, dataset: str, option: dict[str, Any], code: int, culprit: str
) -> None:
    stream = {"bigqueryDestination": {"tableUri": URI, **option}}
    url = f"/v1beta1/{dataset}/dicomStores?dicomStoreId=refused"
    answer = client.post(url, json={"streamConfigs": [stream]})
    assert answer.status_code == code
    assert culprit in answer.json()["error"]["message"]
