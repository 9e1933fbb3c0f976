"""Rows of any store that wait for BigQuery."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.errors import internal, not_found, unavailable
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.bigquery_outbox import MAX_ROW_BYTES, BigQueryOutbox
from emulator.services.healthcare.clients.table_schema import STRING, field
from emulator.services.healthcare.failure_log import FailureLog
from tests.support.waiting import PATIENCE_SECONDS

STORE = "projects/p/locations/l/datasets/d/fhirStores/f"


class Load:
    """The load jobs that BigQuery was asked for: table, columns, ids of the rows."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, list[str], list[str]]] = []
        self.refusals: list[Exception] = []
        self.refused_id = ""
        self.missing_table = ""

    def __call__(
        self,
        table: Table,
        fields: list[dict[str, Any]],
        disposition: str,
        rows: Iterable[bytes],
        _partitioning: Any,
    ) -> None:
        assert disposition == "WRITE_APPEND"
        ids = [str(json.loads(row)["id"]) for row in rows]
        if self.refusals:
            raise self.refusals.pop()
        if table.table == self.missing_table:
            raise not_found("no such table")
        if self.refused_id in ids:
            raise internal("invalid")
        self.jobs.append((str(table), [one["name"] for one in fields], ids))


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    created = Load()
    monkeypatch.setattr(BigQueryClient, "load", lambda _, *given: created(*given))
    return created


@pytest.fixture
def outbox(cloud: Cloud) -> Iterator[BigQueryOutbox]:
    def may_write(store: str, project: str, dataset: str) -> bool:
        assert store == STORE
        return (project, dataset) == ("p", "d")

    created = BigQueryOutbox(
        cloud.database, "http://127.0.0.1:1", may_write, FailureLog(cloud.logging.entries)
    )
    yield created
    created.close()


@pytest.fixture
def add(cloud: Cloud, outbox: BigQueryOutbox) -> Callable[..., None]:
    """Adds a row by its id."""

    def call(number: int, uri: str = "bq://p.d.patients", **values: str) -> None:
        columns = {name: field(STRING) for name in ("id", *values)}
        row = json.dumps({"id": str(number), **values})
        with cloud.database.write() as connection:
            outbox.add(connection, STORE, uri, row, json.dumps(columns))
        outbox.wake()

    return call


def count(cloud: Cloud) -> int:
    with cloud.database.read() as connection:
        return int(connection.execute("SELECT COUNT(*) FROM bigquery_outbox").fetchone()[0])


def wait_until_empty(cloud: Cloud) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while count(cloud):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_rows_of_a_table_share_a_load_job_and_their_columns(
    cloud: Cloud, outbox: BigQueryOutbox, add: Callable[..., None], load: Load
) -> None:
    add(1, gender="female")
    add(2, "bq://p.d.visits")
    add(3, name="x")
    assert load.jobs == []
    outbox.start()
    wait_until_empty(cloud)
    assert load.jobs == [
        ("p.d.patients", ["gender", "id", "name"], ["1", "3"]),
        ("p.d.visits", ["id"], ["2"]),
    ]
    add(4)
    wait_until_empty(cloud)
    assert load.jobs[2:] == [("p.d.patients", ["id"], ["4"])]


def test_a_refused_row_is_dropped_alone(
    cloud: Cloud,
    outbox: BigQueryOutbox,
    add: Callable[..., None],
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load.refused_id = "3"
    for number in range(1, 6):
        add(number, name="a patient")
    outbox.start()
    wait_until_empty(cloud)
    assert sorted(id_ for _, _, ids in load.jobs for id_ in ids) == ["1", "2", "4", "5"]
    assert f"dropped 1 rows of {STORE} for bq://p.d.patients: invalid" in caplog.text
    assert "a patient" not in caplog.text


def test_rows_are_retried_while_bigquery_is_unavailable(
    cloud: Cloud,
    outbox: BigQueryOutbox,
    add: Callable[..., None],
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load.refusals = [unavailable("stopped")] * 2
    add(1)
    outbox.start()
    wait_until_empty(cloud)
    assert load.jobs == [("p.d.patients", ["id"], ["1"])]
    assert caplog.text.count(f"BigQuery is unavailable; rows of {STORE} will be retried") == 2


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("bq://p.d", "the URI does not name a table"),
        ("bq://p.other.t", "the service agent lacks roles/bigquery.dataEditor there"),
        ("bq://p.d.gone", "no such table"),
    ],
)
def test_rows_without_a_table_are_dropped_together(
    cloud: Cloud,
    outbox: BigQueryOutbox,
    add: Callable[..., None],
    load: Load,
    caplog: pytest.LogCaptureFixture,
    uri: str,
    reason: str,
) -> None:
    load.missing_table = "gone"
    add(1, uri)
    add(2, uri)
    outbox.start()
    wait_until_empty(cloud)
    assert load.jobs == []
    assert f"dropped 2 rows of {STORE} for {uri}: {reason}" in caplog.text


def test_a_row_over_the_limit_is_dropped(
    cloud: Cloud, add: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    add(1, name="x" * MAX_ROW_BYTES)
    assert count(cloud) == 0
    assert f"dropped 1 rows of {STORE} for bq://p.d.patients: the row is over" in caplog.text
