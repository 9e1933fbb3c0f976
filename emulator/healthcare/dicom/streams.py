"""BigQuery streams of DICOM stores: a row for each change of an instance, soon after it.

Changes are what stores an instance, gives it another storage class, or deletes it
(https://cloud.google.com/healthcare-api/docs/how-tos/dicom-bigquery-streaming). Rows wait in the
database, written in the transaction that writes the change: what was acknowledged reaches its
table, whatever ends in between. As in the real service no row is ever taken out of a table, and
what BigQuery refuses is logged and lost.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from sqlite3 import Connection, Row
from typing import Any

from emulator.database import Database
from emulator.errors import ApiError
from emulator.healthcare.dicom import bigquery_layouts, bigquery_schema
from emulator.healthcare.dicom.bigquery import BigQuery, Table
from emulator.healthcare.dicom.bigquery_layouts import SOURCE, Layout
from emulator.healthcare.dicom.bigquery_schema import Schema
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.dicom.texts import compact

LOG = logging.getLogger(__name__)
SCHEMA = """
CREATE TABLE IF NOT EXISTS dicom_stream_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    uri TEXT NOT NULL,
    row TEXT NOT NULL,
    schema TEXT NOT NULL
);
"""
BATCH = 500
"""Rows that go together."""
MOST_ROW_BYTES = 1 << 20
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Between tries while BigQuery is away; the last one again and again."""
_CLOSING_SECONDS = 10.0
CREATED, DELETED = "CREATE", "DELETE"
"""The values of the column `Type`; a row of another storage class is one of a creation, too."""
COLUMNS: Schema = {**bigquery_schema.ALWAYS, "Type": bigquery_schema.field(bigquery_schema.STRING)}
_URI = re.compile(r"bq://([^.]+)\.([^.]+)\.([^.]+)")


@dataclass(frozen=True, slots=True)
class Change:
    """An instance as it is after a change, or was before its deletion.

    Attributes:
        row: its BigQuery row, as JSON.
        schema: the schema of that row, as JSON.
        size: bytes of its file.
        storage_class: of its file.
    """

    row: str
    schema: str
    size: int
    storage_class: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stream of a store leads.

    Attributes:
        uri: the table, as a `bq://` URI.
        layout: what its rows look like.
    """

    uri: str
    layout: Layout


class Streams:
    """Carries rows to BigQuery, in a thread, until it is closed.

    Args:
        database: where rows wait.
        url: root of the BigQuery service.
        targets_of: gives where a store's streams lead.
        may_write: whether a store's service agent may write to a dataset: store, project, dataset.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        targets_of: Callable[[str], Sequence[Target]],
        may_write: Callable[[str, str, str], bool],
    ) -> None:
        self._database = database
        self._url = url
        self._targets_of = targets_of
        self._may_write = may_write
        self._news = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dicom-streams", daemon=True)
        database.apply(SCHEMA)

    def start(self) -> None:
        """Begin, with what a restart left waiting."""
        self._thread.start()
        self._news.set()

    def close(self) -> None:
        """Stop after the rows at hand; others wait for the next start."""
        self._closed.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    def add(
        self, connection: Connection, store: str, changes: Iterable[Change], kind: str = CREATED
    ) -> bool:
        """Have rows of changes wait, in the transaction that writes these.

        Args:
            connection: in the transaction.
            store: the full name of the DICOM store.
            changes: only looked at where the store has streams.
            kind: `CREATED` or `DELETED`.

        Returns:
            Whether the store has streams: `wake` is to follow the transaction then.
        """
        targets = self._targets_of(store)
        if not targets:
            return False
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        for change in changes:
            storage = {
                "BlobStorageSize": change.size,
                "LastUpdated": now,
                "StorageClass": change.storage_class,
                "Type": kind,
            }
            for target in targets:
                row = compact(_content(connection, store, target.layout, change) | storage)
                if len(row.encode()) > MOST_ROW_BYTES:
                    LOG.error("a %s of %s is not streamed: its row is over 1 MB", kind, store)
                    continue
                connection.execute(
                    "INSERT INTO dicom_stream_rows (store, uri, row, schema) VALUES (?, ?, ?, ?)",
                    (store, target.uri, row, _schema(target.layout, change)),
                )
        return True

    def wake(self) -> None:
        """Look at once whether rows wait."""
        self._news.set()

    def _run(self) -> None:
        failures = 0
        while not self._closed.is_set():
            if failures:
                self._closed.wait(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1])
            else:
                self._news.wait()
                self._news.clear()
            failures = 0 if self._carry_all() else failures + 1

    def _carry_all(self) -> bool:
        """Carry what waits; whether BigQuery answered."""
        while not self._closed.is_set():
            rows = self._next()
            if not rows:
                return True
            try:
                self._carry_or_lose(rows)
            except ApiError:
                LOG.warning("BigQuery is away; rows of %s wait", rows[0]["store"])
                return False
        return True

    def _carry_or_lose(self, rows: Sequence[Row]) -> None:
        """Carry rows; of those that BigQuery refuses together, each that it takes.

        Raises:
            ApiError: 503 where BigQuery is away; the rows that are not carried yet wait.
        """
        try:
            self._carry(rows)
        except ApiError as error:
            if error.code >= HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            if len(rows) > 1 and error.code != HTTPStatus.NOT_FOUND:
                middle = len(rows) // 2
                self._carry_or_lose(rows[:middle])
                self._carry_or_lose(rows[middle:])
                return
            self._lose(rows, error.message)
        self._forget(rows)

    def _next(self) -> list[Row]:
        """Give the oldest rows that go to one table."""
        with self._database.read() as connection:
            return connection.execute(
                "SELECT * FROM dicom_stream_rows WHERE (store, uri) ="
                " (SELECT store, uri FROM dicom_stream_rows ORDER BY id LIMIT 1)"
                " ORDER BY id LIMIT ?",
                (BATCH,),
            ).fetchall()

    def _carry(self, rows: Sequence[Row]) -> None:
        store, uri = rows[0]["store"], rows[0]["uri"]
        match = _URI.fullmatch(uri)
        if match is None:
            self._lose(rows, f"{uri} names no table")
            return
        table = Table(*match.groups())
        if not self._may_write(store, table.project, table.dataset):
            self._lose(rows, "the service agent lacks roles/bigquery.dataEditor there")
            return
        schema: Schema = {}
        bigquery_schema.merge(schema, COLUMNS)
        for text in {row["schema"] for row in rows}:
            bigquery_schema.merge(schema, json.loads(text))
        lines = [f"{row['row']}\n".encode() for row in rows]
        with BigQuery(self._url) as bigquery:
            bigquery.load(table, bigquery_schema.to_api(schema), "WRITE_APPEND", lines)

    def _lose(self, rows: Sequence[Row], reason: str) -> None:
        store, uri = rows[0]["store"], rows[0]["uri"]
        LOG.error("%d rows of %s do not reach %s: %s", len(rows), store, uri, reason)

    def _forget(self, rows: Sequence[Row]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM dicom_stream_rows WHERE id = ?", [(row["id"],) for row in rows]
            )


def _content(connection: Connection, store: str, layout: Layout, change: Change) -> dict[str, Any]:
    """Give what a row says of the instance itself."""
    row: dict[str, Any] = json.loads(change.row)
    if layout.as_json:
        row = layout.as_json_model(_instance(connection, store, row))
    return row | {SOURCE: store} if layout.with_source else row


def _instance(connection: Connection, store: str, row: dict[str, Any]) -> Row:
    """Look up what a row of BigQuery was made of, which the table has in this transaction."""
    uids = (row[f"{level}InstanceUID"] for level in ("Study", "Series", "SOP"))
    where, parameters = Place(store, *uids).condition()
    found: Row = connection.execute(
        "SELECT study, series, sop, metadata, bigquery_row FROM dicom_instances"  # noqa: S608
        f" WHERE {where}",
        parameters,
    ).fetchone()
    return found


def _schema(layout: Layout, change: Change) -> str:
    """Give the columns that a row needs, as JSON."""
    if not (layout.as_json or layout.with_source):
        return change.schema
    return json.dumps(layout.schema([change.schema]))


def targets(store: dict[str, Any], root: str) -> list[Target]:
    """Give where a store's streams lead.

    Args:
        store: the DICOM store.
        root: URL of the API's version, for references to bulk data.
    """
    destinations = [one.get("bigqueryDestination", {}) for one in store.get("streamConfigs", [])]
    return [
        Target(one["tableUri"], Layout(store["name"], root, **bigquery_layouts.options(one)))
        for one in destinations
        if one.get("tableUri")
    ]
