"""Rows that wait for BigQuery."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.bigquery_outbox import BigQueryOutbox
from emulator.services.healthcare.dicom.bigquery.streams import StreamDestination, Streams
from emulator.services.healthcare.dicom.bigquery.table_layout import TableLayout
from emulator.services.healthcare.dicom.instances.changes import Action, Change
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.failure_log import FailureLog
from tests.support.waiting import PATIENCE_SECONDS

URI = "bq://local-project.streamed.instances"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """The rows that arrive in BigQuery, which is always available."""
    arrived: list[tuple[str, bytes]] = []

    def load(
        _: BigQueryClient,
        table: Table,
        __: Any,
        disposition: str,
        rows: Iterable[bytes],
        partitioning: Any,
    ) -> None:
        assert partitioning is None
        assert disposition == "WRITE_APPEND"
        arrived.extend((str(table), row) for row in rows)

    monkeypatch.setattr(BigQueryClient, "load", load)
    return arrived


@pytest.fixture
def open_outbox(cloud: Cloud) -> Iterator[Callable[[], BigQueryOutbox]]:
    """Opens the outbox over the same waiting rows, as each start of the emulator does."""
    outboxes: list[BigQueryOutbox] = []

    def make() -> BigQueryOutbox:
        outboxes.append(
            BigQueryOutbox(
                cloud.database, "http://127.0.0.1:1", _may, FailureLog(cloud.logging.entries)
            )
        )
        return outboxes[-1]

    yield make
    for one in outboxes:
        one.close()


def _may(*_: str) -> bool:
    return True


def streams_into(outbox: BigQueryOutbox) -> Streams:
    layout = TableLayout("projects/p/store", "http://127.0.0.1:1/v1")
    return Streams(outbox, lambda _: [StreamDestination(URI, layout)])


def waiting(cloud: Cloud) -> int:
    with cloud.database.read() as connection:
        return int(connection.execute("SELECT COUNT(*) FROM bigquery_outbox").fetchone()[0])


def test_rows_wait_while_bigquery_is_away_and_over_a_restart(
    cloud: Cloud,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], StagedFile],
    open_outbox: Callable[[], BigQueryOutbox],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = open_outbox()
    records = [incoming(make(SOPInstanceUID=f"1.2.{number}")).record for number in range(3)]
    changes = [Change.of_record(one, "STANDARD") for one in records]
    with cloud.database.write() as connection:
        streams_into(first).add(connection, "projects/p/store", Action.STORED, lambda: changes)
    first.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "unavailable" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    first.close()
    assert waiting(cloud) == 3
    arrived: list[bytes] = []
    monkeypatch.setattr(BigQueryClient, "load", lambda *call: arrived.extend(call[4]))
    second = open_outbox()
    second.start()
    while waiting(cloud) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [b'"SOPInstanceUID":"1.2.%d"' % number in row for number, row in enumerate(arrived)] == [
        True
    ] * 3


def test_a_transaction_that_fails_leaves_no_row(
    cloud: Cloud,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], StagedFile],
    open_outbox: Callable[[], BigQueryOutbox],
    loaded: list[tuple[str, bytes]],
) -> None:
    one = streams_into(open_outbox())
    record = incoming(make()).record
    changes = [Change.of_record(record, "STANDARD")]

    def fail() -> None:
        with cloud.database.write() as connection:
            one.add(connection, "projects/p/store", Action.STORED, lambda: changes)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(cloud) == 0
    assert loaded == []


def test_each_change_waits_as_a_row_and_the_end_of_the_store_does_not(
    cloud: Cloud,
    client: TestClient,
    resource_path: ResourcePath,
    make: Callable[..., bytes],
    incoming: Callable[[bytes], StagedFile],
) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"streamConfigs": [{"bigqueryDestination": {"tableUri": URI}}]}

    cloud.healthcare.context.outbox.close()  # so that all rows stay in the outbox
    cloud.healthcare.resources.update(resource_path.store, change)
    sops = ("1.2.1", "1.2.2", "1.2.3")
    cloud.healthcare.dicom.contents.add(
        resource_path.store, [incoming(make(SOPInstanceUID=sop)) for sop in sops], "NEARLINE"
    )
    cloud.healthcare.dicom.contents.set_storage_class(
        ResourcePath(resource_path.store, "1.2.3", "1.2.3.4", "1.2.1"), "ARCHIVE"
    )
    cloud.healthcare.dicom.contents.delete(
        ResourcePath(resource_path.store, "1.2.3", "1.2.3.4", "1.2.2")
    )
    client.delete(f"/v1/{resource_path.store}").raise_for_status()
    with cloud.database.read() as connection:
        rows = [
            json.loads(row["row"])
            for row in connection.execute("SELECT row FROM bigquery_outbox ORDER BY id")
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
