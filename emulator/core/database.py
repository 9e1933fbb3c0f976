"""The state of the emulator: one SQLite file, one writer, any number of readers.

Write-ahead logging lets readers work beside the writer; `synchronous=FULL` makes a commit durable
before it is acknowledged (https://www.sqlite.org/wal.html).

`PRAGMA user_version` is the number of migrations that made the file. A file of version 0 is new, or
was written before versions were counted; the first migration creates only what is missing.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.core.program_name import command

STATE_FILE = "state.sqlite3"
STATE_VERSION = 24
"""The number of migrations in `emulator/migrations.py`; here, a check of it imports no service."""

ALL = -1
"""The `LIMIT` of a query for every row."""

_HEADER_BYTES = 100
_PRIVATE = 0o600
_USER_VERSION = slice(60, 64)

Migration = str | Callable[[sqlite3.Connection], None]
"""A script of SQL statements, or a function that runs inside the migration's transaction."""


class NewerStateError(Exception):
    """A newer version of the emulator wrote the state."""


def check_version(path: Path, supported: int = STATE_VERSION) -> None:
    """Refuse a file that a newer version of the emulator wrote; change nothing.

    SQLite itself can't read a file in WAL mode on a file system that is full or read-only, so the
    header is read: https://www.sqlite.org/fileformat.html#user_version. A version that is in the
    write-ahead log only is met when the file is opened.

    Raises:
        NewerStateError: names the two ways out
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    _refuse_newer(int.from_bytes(header[_USER_VERSION], "big"), path, supported)


def _refuse_newer(version: int, path: Path, supported: int) -> None:
    if version > supported:
        raise NewerStateError(
            f"The state in {path.parent} has version {version}, but this emulator supports "
            f"versions up to {supported}: a newer emulator wrote it. Install that version again, "
            f"or delete the state with `{command('reset')}`."
        )


class Database:
    """A SQLite file shared by the threads of one process.

    Args:
        path: the file; created if there is none
        migrations: all migrations of the state, in order; those the file lacks are applied

    Raises:
        NewerStateError: the file has more migrations than these
    """

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_private(path)
        check_version(path, len(migrations))
        self._path = path
        self.folder = path.parent
        self._local = threading.local()
        self._write_lock = threading.Lock()
        self._writer = self._connect()
        self._durable = True
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._migrate(migrations)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        """Apply the migrations that the file lacks, each in a transaction with its number."""
        version = int(self._writer.execute("PRAGMA user_version").fetchone()[0])
        _refuse_newer(version, self._path, len(migrations))
        for number, migration in enumerate(migrations[version:], start=version + 1):
            with self.write() as connection:
                if callable(migration):
                    migration(connection)
                else:
                    for statement in _statements(migration):
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Return this thread's reading connection; rows are `sqlite3.Row`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._readers_lock:
                self._readers.append(connection)
        yield connection

    def page(
        self, table: str, column: str, value: str, after: str | None, limit: int, key: str = "name"
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return keys and JSON bodies of rows, by key; see `paging.Fetch`.

        Args:
            table: has the column `body`
            column: selects the rows
            value: of the column
            after: the last key of the page before; None for the first page
            limit: of rows
            key: the column that orders the rows
        """
        with self.read() as connection:
            rows = connection.execute(
                f"SELECT {key}, body FROM {table} WHERE {column} = ? AND {key} > ?"  # noqa: S608
                f" ORDER BY {key} LIMIT ?",
                (value, after or "", limit),
            ).fetchall()
        return [(row[key], json.loads(row["body"])) for row in rows]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that this thread reads meanwhile be of one moment."""
        with self.read() as connection:
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield the writing connection inside a transaction, which commits whole or not at all.

        Args:
            durable: fsync the commit. Not needed for changes that are computed again after a
                power cut; a crash of the process alone never loses them.
        """
        with self._write_lock:
            if durable is not self._durable:
                self._writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself on a full disk, or leaves the transaction open.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def empty(self) -> None:
        """Delete every row of every table in one transaction."""
        with self.write() as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            connection.execute("PRAGMA defer_foreign_keys = ON")
            for table in tables:
                connection.execute(f'DELETE FROM "{table["name"]}"')  # noqa: S608 - our own tables

    def close(self) -> None:
        """Close every connection; the database is not used afterwards."""
        with self._readers_lock, self._write_lock:
            for connection in [*self._readers, self._writer]:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=30
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


def _make_private(path: Path) -> None:
    """Let only the user read the file, which holds the payloads of secrets.

    SQLite creates the files beside it with the same mode: https://www.sqlite.org/wal.html.
    """
    path.touch(mode=_PRIVATE)
    path.chmod(_PRIVATE)


def _statements(script: str) -> Iterator[str]:
    """Split a script, since `executescript` would commit the migration's transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
