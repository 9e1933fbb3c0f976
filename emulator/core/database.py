"""The state of the emulator: one SQLite file, one writer, any number of readers.

Write-ahead logging lets readers go on beside the writer; `synchronous=FULL` makes a commit durable
before it is acknowledged (https://www.sqlite.org/wal.html).
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Database:
    """A SQLite file shared by the threads of one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.folder = path.parent
        self._local = threading.local()
        self._write_lock = threading.Lock()
        self._writer = self._connect()
        self._durable = True
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()

    def apply(self, schema: str) -> None:
        """Run a script of `CREATE TABLE IF NOT EXISTS`."""
        with self._write_lock:
            self._writer.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's reading connection; rows come as `sqlite3.Row`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._readers_lock:
                self._readers.append(connection)
        yield connection

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
        """Give the writing connection inside a transaction: all of it is kept, or nothing.

        Args:
            durable: wait until the disk has it. What a power cut may take, since it would be
                worked out again, need not; it outlives the process nevertheless.
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
                # A full disk ends a transaction by itself, or leaves it open at its commit.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def empty(self) -> None:
        """Delete every row of every table, all at once."""
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
