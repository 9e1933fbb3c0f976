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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from sqlite3 import Connection, Row
from typing import Any

from emulator.core.backoff import delays
from emulator.core.database import Database
from emulator.core.errors import RPC_CODES, ApiError
from emulator.core.resource_name import ResourceName
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
ADD_LAYOUT = "ALTER TABLE bigquery_outbox ADD COLUMN layout TEXT NOT NULL DEFAULT '';"
BATCH = 500
"""Rows of one load job."""
MAX_ROW_BYTES = 1 << 20
INITIAL_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 10.0
"""Before the next try while BigQuery is unavailable."""
_CLOSING_SECONDS = 10.0
_URI = re.compile(r"bq://([^.]+)\.([^.]+)\.([^.]+)")


@dataclass(frozen=True)
class TablePlan:
    """The table that rows need.

    Attributes:
        fields: of its schema
        partitioning: BigQuery's TimePartitioning of a table that is created; nothing for none
        view: the name of a view of the table in the same dataset; empty for none
        view_query: the SQL of the view
    """

    fields: list[dict[str, Any]]
    partitioning: Mapping[str, Any] | None = None
    view: str = ""
    view_query: str = ""


Plan = Callable[[Table, str, Sequence[str]], TablePlan]
"""Returns what rows need of a table, from their layout and the rows as JSON."""


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
        self._plans: dict[str, Plan] = {}
        self._views: set[Table] = set()
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

    def plan_tables(self, collection: str, plan: Plan) -> None:
        """Register the tables of rows with a layout, by the collection of their stores.

        Called before `start`.
        """
        self._plans[collection] = plan

    def add(
        self,
        connection: Connection,
        store: str,
        uri: str,
        row: str,
        schema: str = "{}",
        layout: str = "",
    ) -> None:
        """Add a row in the transaction of the change; `wake` must follow the commit.

        A row over `MAX_ROW_BYTES` is logged and dropped.

        Args:
            connection: in the transaction
            store: the full name of the store
            uri: of the table, `bq://PROJECT.DATASET.TABLE`
            row: as JSON
            schema: the columns of the row, a `Schema` as JSON
            layout: what `plan_tables` needs to know of the table instead; empty with a schema
        """
        if len(row.encode()) > MAX_ROW_BYTES:
            reason = f"the row is over {MAX_ROW_BYTES} bytes"
            _log_dropped(1, store, uri, reason)
            code = RPC_CODES["INVALID_ARGUMENT"]
            self._failures.add_stream(connection, store, uri, code, f"dropped 1 row: {reason}")
            return
        connection.execute(
            "INSERT INTO bigquery_outbox (store, uri, row, schema, layout) VALUES (?, ?, ?, ?, ?)",
            (store, uri, row, schema, layout),
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
        """Return the oldest rows of one table and layout."""
        with self._database.read() as connection:
            return connection.execute(
                "SELECT * FROM bigquery_outbox WHERE (store, uri, layout) ="
                " (SELECT store, uri, layout FROM bigquery_outbox ORDER BY id LIMIT 1)"
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
        plan = self._plan(table, rows)
        lines = [f"{row['row']}\n".encode() for row in rows]
        with BigQueryClient(self._url) as bigquery:
            bigquery.load(table, plan.fields, "WRITE_APPEND", lines, plan.partitioning)
            view = Table(table.project, table.dataset, plan.view)
            if plan.view and view not in self._views:
                bigquery.create_view(view, plan.view_query)
                self._views.add(view)

    def _plan(self, table: Table, rows: Sequence[Row]) -> TablePlan:
        if layout := rows[0]["layout"]:
            plan = self._plans[ResourceName.parse(rows[0]["store"]).collection]
            return plan(table, layout, [row["row"] for row in rows])
        schema: Schema = {}
        for text in {row["schema"] for row in rows}:
            table_schema.merge(schema, json.loads(text))
        return TablePlan(table_schema.to_api(schema))

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
