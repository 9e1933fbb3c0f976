"""Log entries, by project and time.

Documented (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry): entries of one log
with the same time and `insertId` are duplicates, and entries are deleted after 30 days.
"""

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database

SCHEMA = """
CREATE TABLE log_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    log_name TEXT NOT NULL,
    insert_id TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (log_name, insert_id, timestamp)
);
CREATE INDEX log_entries_by_time ON log_entries (project, timestamp, id);
CREATE INDEX log_entries_by_id ON log_entries (insert_id);
"""
RETENTION_DAYS = 30
"""How long the log bucket `_Default` keeps entries."""
_PURGE_INTERVAL_SECONDS = 3600.0

Entry = dict[str, Any]
Key = list[Any]


class Entries:
    """The entries of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_purge = 0.0

    def write(self, entries: Sequence[Entry], *, durable: bool = True) -> None:
        """Add entries; duplicates are added once.

        Args:
            entries: as `add` takes them
            durable: whether they must survive a power cut
        """
        with self._database.write(durable=durable) as connection:
            for entry in entries:
                self.add(connection, entry)

    def add(self, connection: Connection, entry: Entry) -> None:
        """Add an entry in a transaction.

        Args:
            connection: in the transaction
            entry: a LogEntry whose `logName` is `projects/PROJECT/logs/LOG`; what it lacks of
                `timestamp`, `insertId` and `severity` is added
        """
        self._purge(connection)
        now = timestamps.now()
        whole = {
            "insertId": secrets.token_hex(8),
            "timestamp": now,
            "severity": "DEFAULT",
            **entry,
            "receiveTimestamp": now,
        }
        log_name = whole["logName"]
        connection.execute(
            "INSERT OR IGNORE INTO log_entries (project, log_name, insert_id, timestamp, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                log_name.split("/")[1],
                log_name,
                whole["insertId"],
                sortable(whole["timestamp"]),
                json.dumps(whole),
            ),
        )

    def has(self, connection: Connection, log_name: str, insert_id: str) -> bool:
        """Whether a log has an entry of an id, at any time."""
        found = connection.execute(
            "SELECT 1 FROM log_entries WHERE log_name = ? AND insert_id = ?", (log_name, insert_id)
        )
        return found.fetchone() is not None

    def find(self, insert_id: str) -> Entry | None:
        """Return an entry by its id, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM log_entries WHERE insert_id = ?", (insert_id,)
            ).fetchone()
        return None if row is None else json.loads(row["body"])

    def page(
        self, projects: Sequence[str], after: Key | None, limit: int, *, newest_first: bool = False
    ) -> list[tuple[Key, Entry]]:
        """Return entries of projects, by time; see `paging.Fetch`."""
        order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
        following = f"AND (timestamp, id) {sign} (?, ?)" if after else ""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, timestamp, body FROM log_entries"  # noqa: S608 - our own text
                " WHERE project IN (SELECT value FROM json_each(?)) AND timestamp >= ?"
                f" {following} ORDER BY timestamp {order}, id {order} LIMIT ?",
                (json.dumps([*projects]), _oldest(), *(after or ()), limit),
            ).fetchall()
        return [([row["timestamp"], row["id"]], json.loads(row["body"])) for row in rows]

    def following(self, project: str, after: int, limit: int) -> list[tuple[int, Entry]]:
        """Return the entries of a project that were written after one, with their numbers."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, body FROM log_entries WHERE id > ? AND project = ? ORDER BY id LIMIT ?",
                (after, project, limit),
            ).fetchall()
        return [(row["id"], json.loads(row["body"])) for row in rows]

    def of_hour(self, log_name: str, hour: str, after: int) -> Iterator[Entry]:
        """Yield the entries of a log in an hour, such as `2026-11-29T16`, by time.

        Args:
            log_name: of the log
            hour: the beginning of their timestamps
            after: the number of an entry; those written up to it are left out
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM log_entries WHERE log_name = ? AND id > ? AND timestamp >= ?"
                " AND timestamp < ? ORDER BY timestamp, id",
                (log_name, after, hour, f"{hour}~"),
            ).fetchall()
        yield from (json.loads(row["body"]) for row in rows)

    def last_before(self, moment: str) -> int:
        """Return the number of the last entry that was received before a moment; 0 for none."""
        query = "SELECT id, body FROM log_entries ORDER BY id DESC"
        with self._database.read() as connection:
            for row in connection.execute(query):
                if sortable(json.loads(row["body"])["receiveTimestamp"]) < sortable(moment):
                    return int(row["id"])
        return 0

    def logs(self, project: str, after: str | None, limit: int) -> list[tuple[str, str]]:
        """Return the names of a project's logs that have entries; see `paging.Fetch`."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT log_name FROM log_entries"
                " WHERE project = ? AND timestamp >= ? AND log_name > ? ORDER BY log_name LIMIT ?",
                (project, _oldest(), after or "", limit),
            ).fetchall()
        return [(row["log_name"], row["log_name"]) for row in rows]

    def delete(self, log_name: str) -> None:
        """Delete the entries of a log."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM log_entries WHERE log_name = ?", (log_name,))

    def _purge(self, connection: Connection) -> None:
        if time.monotonic() >= self._next_purge:
            self._next_purge = time.monotonic() + _PURGE_INTERVAL_SECONDS
            connection.execute("DELETE FROM log_entries WHERE timestamp < ?", (_oldest(),))


def sortable(timestamp: str) -> str:
    """Return a timestamp as text that sorts by time.

    Raises:
        ValueError: it is not a timestamp with an offset
    """
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        raise ValueError(f"{timestamp!r} has no time zone")
    return timestamps.to_rfc3339(moment.astimezone(UTC))


def _oldest() -> str:
    return timestamps.to_rfc3339(datetime.now(UTC) - timedelta(days=RETENTION_DAYS))
