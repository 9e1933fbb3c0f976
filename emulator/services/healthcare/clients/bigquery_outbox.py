"""Transactional outbox for rows of BigQuery, used by the streams of all stores.

The transaction of a change writes the row of the change into a table of the database, from where a
thread sends it to BigQuery. So the row of an acknowledged change reaches its table even if the
process crashes in between. As in the real service no row is ever removed from a table, and rows
that BigQuery refuses are logged and dropped.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from sqlite3 import Connection, Row

from emulator.core.backoff import delays
from emulator.core.database import Database
from emulator.core.errors import RPC_CODES, ApiError
from emulator.services.healthcare.clients import table_schema
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.table_schema import Schema
from emulator.services.healthcare.failure_log import FailureLog

LOG = logging.getLogger(__name__)
SCHEMA = """
CREATE TABLE bigquery_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    uri TEXT NOT NULL,
    row TEXT NOT NULL,
    schema TEXT NOT NULL
);
"""
BATCH = 500
"""Rows of one load job."""
MAX_ROW_BYTES = 1 << 20
INITIAL_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 10.0
"""Before the next try while BigQuery is unavailable."""
_CLOSING_SECONDS = 10.0
_URI = re.compile(r"bq://([^.]+)\.([^.]+)\.([^.]+)")


class BigQueryOutbox:
    """Rows that wait for BigQuery, and the thread that sends them.

    Args:
        database: holds the rows
        url: root of the BigQuery service
        may_write: whether a store's service agent may write to a dataset (store, project, dataset)
        failures: logs the rows that are dropped
    """

    def __init__(
        self,
        database: Database,
        url: str,
        may_write: Callable[[str, str, str], bool],
        failures: FailureLog,
    ) -> None:
        self._database = database
        self._url = url
        self._may_write = may_write
        self._failures = failures
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bigquery-outbox", daemon=True)

    def start(self) -> None:
        """Send rows, first those that an earlier process left."""
        self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Stop after the current load job; other rows wait for the next start."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    def add(self, connection: Connection, store: str, uri: str, row: str, schema: str) -> None:
        """Add a row in the transaction of the change; `wake` must follow the commit.

        A row over `MAX_ROW_BYTES` is logged and dropped.

        Args:
            connection: in the transaction
            store: the full name of the store
            uri: of the table, `bq://PROJECT.DATASET.TABLE`
            row: as JSON
            schema: the columns of the row, a `Schema` as JSON
        """
        if len(row.encode()) > MAX_ROW_BYTES:
            reason = f"the row is over {MAX_ROW_BYTES} bytes"
            _log_dropped(1, store, uri, reason)
            code = RPC_CODES["INVALID_ARGUMENT"]
            self._failures.add_stream(connection, store, uri, code, f"dropped 1 row: {reason}")
            return
        connection.execute(
            "INSERT INTO bigquery_outbox (store, uri, row, schema) VALUES (?, ?, ?, ?)",
            (store, uri, row, schema),
        )

    def wake(self) -> None:
        """Send the rows that were added: the transaction is committed."""
        self._wake.set()

    def _run(self) -> None:
        waits = delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS)
        while not self._closed.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._deliver_all():
                waits = delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS)
            else:
                self._closed.wait(next(waits))
                self._wake.set()

    def _deliver_all(self) -> bool:
        """Send all rows; return whether BigQuery is available."""
        while not self._closed.is_set():
            rows = self._oldest()
            if not rows:
                break
            try:
                self._deliver_or_drop(rows)
            except ApiError:
                LOG.warning("BigQuery is unavailable; rows of %s will be retried", rows[0]["store"])
                return False
        return True

    def _deliver_or_drop(self, rows: Sequence[Row]) -> None:
        """Send rows; of rows that BigQuery refuses together, send each that it accepts alone.

        Raises:
            ApiError: 503, BigQuery is unavailable; the rows that are not sent yet wait
        """
        try:
            self._deliver(rows)
        except ApiError as error:
            if error.code >= HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            if len(rows) > 1 and error.code != HTTPStatus.NOT_FOUND:
                middle = len(rows) // 2
                self._deliver_or_drop(rows[:middle])
                self._deliver_or_drop(rows[middle:])
                return
            self._drop(rows, error.status, error.message)
        self._delete(rows)

    def _oldest(self) -> list[Row]:
        """Return the oldest rows of one table."""
        with self._database.read() as connection:
            return connection.execute(
                "SELECT * FROM bigquery_outbox WHERE (store, uri) ="
                " (SELECT store, uri FROM bigquery_outbox ORDER BY id LIMIT 1)"
                " ORDER BY id LIMIT ?",
                (BATCH,),
            ).fetchall()

    def _deliver(self, rows: Sequence[Row]) -> None:
        store, uri = rows[0]["store"], rows[0]["uri"]
        match = _URI.fullmatch(uri)
        if match is None:
            self._drop(rows, "INVALID_ARGUMENT", "the URI does not name a table")
            return
        table = Table(*match.groups())
        if not self._may_write(store, table.project, table.dataset):
            reason = "the service agent lacks roles/bigquery.dataEditor there"
            self._drop(rows, "PERMISSION_DENIED", reason)
            return
        schema: Schema = {}
        for text in {row["schema"] for row in rows}:
            table_schema.merge(schema, json.loads(text))
        lines = [f"{row['row']}\n".encode() for row in rows]
        with BigQueryClient(self._url) as bigquery:
            bigquery.load(table, table_schema.to_api(schema), "WRITE_APPEND", lines)

    def _drop(self, rows: Sequence[Row], status: str, reason: str) -> None:
        store, uri = rows[0]["store"], rows[0]["uri"]
        _log_dropped(len(rows), store, uri, reason)
        message = f"dropped {len(rows)} rows: {reason}"
        with self._database.write() as connection:
            self._failures.add_stream(connection, store, uri, RPC_CODES[status], message)

    def _delete(self, rows: Sequence[Row]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM bigquery_outbox WHERE id = ?", [(row["id"],) for row in rows]
            )


def _log_dropped(number: int, store: str, uri: str, reason: str) -> None:
    LOG.error("dropped %d rows of %s for %s: %s", number, store, uri, reason)
