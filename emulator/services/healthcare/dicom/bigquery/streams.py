"""BigQuery streams of DICOM stores: a row for each change of an instance.

A change stores an instance, sets its storage class, or deletes it
(https://cloud.google.com/healthcare-api/docs/how-tos/dicom-bigquery-streaming).

Inferred (conformance: dicom-update-stream): an instance that is updated or patched has a new row,
of the type of a stored one.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sqlite3 import Connection, Row
from typing import Any

from emulator.core import timestamps
from emulator.services.healthcare.clients import table_schema
from emulator.services.healthcare.clients.bigquery_outbox import BigQueryOutbox
from emulator.services.healthcare.clients.table_schema import STRING, Schema, field
from emulator.services.healthcare.dicom.bigquery import table_layout
from emulator.services.healthcare.dicom.bigquery.table_layout import SOURCE, TableLayout
from emulator.services.healthcare.dicom.instances.changes import Action, Change
from emulator.services.healthcare.dicom.parsing import bigquery_schema
from emulator.services.healthcare.dicom.parsing.instance_json import compact
from emulator.services.healthcare.dicom.resource_path import ResourcePath

SCHEMA = """
CREATE TABLE IF NOT EXISTS dicom_stream_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    uri TEXT NOT NULL,
    row TEXT NOT NULL,
    schema TEXT NOT NULL
);
"""
"""The outbox of earlier versions: `move_rows` empties it."""
COLUMNS: Schema = {**bigquery_schema.ALWAYS, "Type": field(STRING)}
_CREATE, _DELETE = "CREATE", "DELETE"
"""The kinds of a change; a new storage class of an instance counts as a creation."""
_SCHEMA_CACHE_SIZE = 1 << 8


@dataclass(frozen=True, slots=True)
class StreamDestination:
    """The table of a stream.

    Attributes:
        uri: the table, as a `bq://` URI
        layout: of its rows
    """

    uri: str
    layout: TableLayout


class Streams:
    """Adds rows about changes to the outbox. A `ChangeListener`.

    Args:
        outbox: sends the rows
        destinations_of: returns the destinations of a store's streams
    """

    def __init__(
        self, outbox: BigQueryOutbox, destinations_of: Callable[[str], Sequence[StreamDestination]]
    ) -> None:
        self._outbox = outbox
        self._destinations_of = destinations_of

    def add(
        self,
        connection: Connection,
        store: str,
        action: Action,
        changes: Callable[[], Iterable[Change]],
    ) -> bool:
        """Add the rows of changes to the outbox, as `ChangeListener.add` describes."""
        destinations = self._destinations_of(store)
        if not destinations:
            return False
        now = timestamps.now()
        for change in changes():
            storage = {
                "BlobStorageSize": change.size,
                "LastUpdated": now,
                "StorageClass": change.storage_class,
                "Type": _DELETE if action is Action.DELETED else _CREATE,
            }
            for destination in destinations:
                layout = destination.layout
                row = compact(_content(connection, store, layout, change) | storage)
                schema = _schema(layout, change.schema)
                self._outbox.add(connection, store, destination.uri, row, schema)
        return True

    def wake(self) -> None:
        """Send the rows that were added: the transaction is committed."""
        self._outbox.wake()


def move_rows(connection: Connection) -> None:
    """Move the rows that wait in the table of earlier versions to the outbox.

    Their schemas lack the columns that every row of a stream has.
    """
    for row in connection.execute("SELECT * FROM dicom_stream_rows ORDER BY id").fetchall():
        schema = json.dumps(COLUMNS | json.loads(row["schema"]))
        connection.execute(
            "INSERT INTO bigquery_outbox (store, uri, row, schema) VALUES (?, ?, ?, ?)",
            (row["store"], row["uri"], row["row"], schema),
        )
    connection.execute("DROP TABLE dicom_stream_rows")


def _content(
    connection: Connection, store: str, layout: TableLayout, change: Change
) -> dict[str, Any]:
    """Return the part of a row that describes the instance."""
    row: dict[str, Any] = json.loads(change.row)
    if layout.as_json:
        row = layout.as_json_model(_instance(connection, store, row))
    return row | {SOURCE: store} if layout.with_source else row


def _instance(connection: Connection, store: str, row: dict[str, Any]) -> Row:
    """Return the row of the instance that a row of BigQuery describes."""
    uids = (row[f"{level}InstanceUID"] for level in ("Study", "Series", "SOP"))
    where, parameters = ResourcePath(store, *uids).where_clause()
    found: Row = connection.execute(
        "SELECT study, series, sop, metadata, bigquery_row FROM dicom_instances"  # noqa: S608
        f" WHERE {where}",
        parameters,
    ).fetchone()
    return found


@lru_cache(_SCHEMA_CACHE_SIZE)
def _schema(layout: TableLayout, instance_schema: str) -> str:
    """Return the columns of a row, as JSON."""
    schema: Schema = {}
    table_schema.merge(schema, COLUMNS)
    table_schema.merge(schema, layout.schema([instance_schema]))
    return json.dumps(schema)


def destinations(store: dict[str, Any], root: str) -> list[StreamDestination]:
    """Return the destinations of a store's streams.

    Args:
        store: the DICOM store
        root: URL of the API's version, for references to bulk data
    """
    settings = [one.get("bigqueryDestination", {}) for one in store.get("streamConfigs", [])]
    return [
        StreamDestination(
            one["tableUri"], TableLayout(store["name"], root, **table_layout.options(one))
        )
        for one in settings
        if one.get("tableUri")
    ]
