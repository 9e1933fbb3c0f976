"""Operations in the database.

Inferred (conformance: operation-id): an id is a long decimal number.
"""

import json
import secrets
import sqlite3
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.operations.operation_type import FailedItem, FailureListener

SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    number INTEGER NOT NULL,
    method TEXT NOT NULL,
    version TEXT NOT NULL,
    request TEXT NOT NULL,
    created TEXT NOT NULL,
    ended TEXT,
    success INTEGER NOT NULL DEFAULT 0,
    failure INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    counted INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    response TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS operations_by_parent ON operations (parent, number);
CREATE TABLE IF NOT EXISTS operation_failures (
    operation TEXT NOT NULL REFERENCES operations (name) ON DELETE CASCADE,
    source TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (operation, source)
);
"""


class Records:
    """The operations and their logs, as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, parent: str, method: str, request: dict[str, Any], *, version: str) -> str:
        """Keep a new operation.

        Returns:
            Its full name.
        """
        number = secrets.randbits(62)
        name = f"{parent}/operations/{number}"
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO operations (name, parent, number, method, version, request, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, parent, number, method, version, json.dumps(request), timestamps.now()),
            )
        return name

    def get(self, name: str) -> sqlite3.Row | None:
        """Return the row of an operation, or None."""
        found = self._select("SELECT * FROM operations WHERE name = ?", name)
        return found[0] if found else None

    def page(self, parent: str, after: list[Any] | None, limit: int) -> list[sqlite3.Row]:
        """Return rows of a dataset, the newest first, that follow one by its time and number."""
        condition = "AND (created, number) < (?, ?)" if after else ""
        return self._select(
            f"SELECT * FROM operations WHERE parent = ? {condition}"  # noqa: S608 - our own text
            " ORDER BY created DESC, number DESC LIMIT ?",
            parent,
            *(after or ()),
            limit,
        )

    def unfinished(self) -> list[sqlite3.Row]:
        """Return the rows of what has not ended, the oldest first."""
        return self._select("SELECT * FROM operations WHERE ended IS NULL ORDER BY created")

    def parents(self) -> list[str]:
        """Return the resources that have operations."""
        return [row["parent"] for row in self._select("SELECT DISTINCT parent FROM operations")]

    def update(self, name: str, *, durable: bool = True, **values: Any) -> None:
        """Write columns of an operation."""
        assignments = ", ".join(f"{column} = ?" for column in values)
        with self._database.write(durable=durable) as connection:
            connection.execute(
                f"UPDATE operations SET {assignments} WHERE name = ?",  # noqa: S608 - our columns
                (*values.values(), name),
            )

    def delete_for_parent(self, parent: str) -> None:
        """Drop the operations of a dataset."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM operations WHERE parent = ?", (parent,))

    def failures(self, name: str) -> list[dict[str, str]]:
        """Return the log of an operation, by source."""
        return [
            dict(row)
            for row in self._select(
                "SELECT source, error FROM operation_failures WHERE operation = ? ORDER BY source",
                name,
            )
        ]

    def log_failure(self, item: FailedItem, listener: FailureListener) -> None:
        """Add or replace an entry of an operation's log.

        Not durable, as counters: an operation that a power cut interrupts computes it again.

        Args:
            item: what failed
            listener: called in the same transaction, unless the operation is gone with its dataset
        """
        with self._database.write(durable=False) as connection:
            added = connection.execute(
                "INSERT OR REPLACE INTO operation_failures"
                " SELECT name, ?, ? FROM operations WHERE name = ?",
                (item.source, item.error, item.operation),
            ).rowcount
            if added:
                listener(connection, item)

    def _select(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._database.read() as connection:
            return connection.execute(statement, values).fetchall()
