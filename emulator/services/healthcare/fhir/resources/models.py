"""The resources of FHIR stores, in the database.

A resource is acknowledged when its row is committed. `fhir_resources` has the current versions,
`fhir_versions` the earlier ones and the deletions. Rows that describe a current version (its
references, identifiers and canonical URL, and the index of searches) go with its row.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import Connection, Row
from typing import Any, Protocol

from emulator.core.database import Database
from emulator.services.healthcare.fhir.resources import lost_versions
from emulator.services.healthcare.fhir.resources.version import Version

SCHEMA = """
CREATE TABLE fhir_resources (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    method TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX fhir_by_id ON fhir_resources (store, type, id);
CREATE INDEX fhir_by_version ON fhir_resources (store, version);
CREATE TABLE fhir_versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    method TEXT NOT NULL,
    body BLOB
);
CREATE UNIQUE INDEX fhir_versions_by_id ON fhir_versions (store, type, id, version);
CREATE TABLE fhir_references (
    resource INTEGER NOT NULL REFERENCES fhir_resources (number) ON DELETE CASCADE,
    store TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    path TEXT NOT NULL
);
CREATE INDEX fhir_references_of ON fhir_references (resource);
CREATE INDEX fhir_references_to ON fhir_references (store, target_type, target_id);
CREATE TABLE fhir_identifiers (
    resource INTEGER NOT NULL REFERENCES fhir_resources (number) ON DELETE CASCADE,
    store TEXT NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    system TEXT NOT NULL
);
CREATE INDEX fhir_identifiers_of ON fhir_identifiers (resource);
CREATE INDEX fhir_identifiers_by_value ON fhir_identifiers (store, type, value);
CREATE TABLE fhir_canonicals (
    resource INTEGER PRIMARY KEY REFERENCES fhir_resources (number) ON DELETE CASCADE,
    store TEXT NOT NULL,
    url TEXT NOT NULL,
    version TEXT NOT NULL
);
CREATE INDEX fhir_canonicals_by_url ON fhir_canonicals (store, url, version);
"""
TABLES = ("fhir_resources", "fhir_versions")
"""The tables with a column `store` whose rows no other row takes along."""


class Index(Protocol):
    """Keeps what searches need of current versions, in the transactions of their changes.

    Its tables refer to `fhir_resources (number)` with `ON DELETE CASCADE`.
    """

    def add(
        self, connection: Connection, store: str, resources: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Add resources by number, or replace those of these numbers."""


class StoreGoneError(Exception):
    """The store was deleted while a resource was written to it."""


class ResourceStore:
    """The resources of all stores.

    Args:
        database: holds the resources
        store_exists: whether a store with this full name exists
        tables: further tables with a column `store` whose rows go with the store
    """

    def __init__(
        self,
        database: Database,
        store_exists: Callable[[str], bool],
        tables: Sequence[str] = (),
    ) -> None:
        self.database = database
        self._tables = (*TABLES, *lost_versions.TABLES, *tables)
        self._store_exists = store_exists

    @contextmanager
    def writing(self, store: str) -> Iterator[Connection]:
        """Yield a connection in a transaction that changes a store.

        Raises:
            StoreGoneError: the store was deleted meanwhile
        """
        with self.database.write() as connection:
            if not self._store_exists(store):
                raise StoreGoneError(f"The FHIR store {store} does not exist.")
            yield connection

    def find(self, store: str, type_: str, id_: str) -> Version | None:
        """Return the current version of a resource, or None."""
        with self.database.read() as connection:
            return find(connection, store, type_, id_)

    def find_version(self, store: str, type_: str, id_: str, version: int) -> Version | None:
        """Return a version of a resource, current or earlier, or None."""
        for table in TABLES:
            rows = self.select(
                f"SELECT * FROM {table} WHERE store = ? AND type = ? AND id = ?"  # noqa: S608
                " AND version = ?",
                (store, type_, id_, version),
            )
            if rows:
                return Version.of(rows[0])
        return None

    def history(
        self, store: str, type_: str, id_: str, before: int, limit: int
    ) -> Sequence[Version]:
        """Return versions of a resource, the newest first.

        Args:
            store: the full name
            type_: of the resource
            id_: of the resource
            before: a version; later ones and this one are left out
            limit: of versions
        """
        where = "WHERE store = ?1 AND type = ?2 AND id = ?3 AND version < ?4"
        rows = self.select(
            f"SELECT * FROM (SELECT * FROM fhir_resources {where}"  # noqa: S608 - our own text
            f" UNION ALL SELECT * FROM fhir_versions {where}) ORDER BY version DESC LIMIT ?5",
            (store, type_, id_, before, limit),
        )
        return [Version.of(row) for row in rows]

    def pages(
        self, store: str, size: int, *, types: Sequence[str] = (), since: int = 0
    ) -> Iterator[list[Version]]:
        """Yield the resources that are there now, page by page, in the order of their creation.

        Each is yielded as it is when its page is read, and left out if it is deleted by then.

        Args:
            store: the full name
            size: of a page, in resources
            types: those that count; all of them if there is none
            since: versions of this one and later ones count
        """
        marks = ",".join("?" * len(types))
        condition = f" AND type IN ({marks})" if types else ""
        # One query for all numbers: by the index on versions, each page would sort the whole store.
        found = self.select(
            "SELECT number FROM fhir_resources WHERE store = ? AND version >= ?"  # noqa: S608
            f"{condition} ORDER BY number",
            (store, since, *types),
        )
        numbers = array("q", (row["number"] for row in found))
        del found
        for start in range(0, len(numbers), size):
            some = numbers[start : start + size]
            rows = self.select(
                f"SELECT * FROM fhir_resources WHERE number IN ({','.join('?' * len(some))})"  # noqa: S608
                " ORDER BY number",
                some,
            )
            if rows:
                yield [Version.of(row) for row in rows]

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query of this package."""
        with self.database.read() as connection:
            return connection.execute(statement, parameters).fetchall()

    def delete_store(self, store: str) -> None:
        """Delete the resources of a store that is deleted, with their history."""
        with self.database.write() as connection:
            for table in self._tables:
                connection.execute(f"DELETE FROM {table} WHERE store = ?", (store,))  # noqa: S608

    def delete_orphans(self) -> None:
        """Delete the resources of stores that no longer exist, and what is past a rollback."""
        with self.database.write() as connection:
            lost_versions.delete_old(connection)
        for table in self._tables:
            for row in self.select(f"SELECT DISTINCT store FROM {table}"):  # noqa: S608
                if not self._store_exists(row["store"]):
                    self.delete_store(row["store"])


def find(connection: Connection, store: str, type_: str, id_: str) -> Version | None:
    """Return the current version of a resource, or None."""
    row = connection.execute(
        "SELECT * FROM fhir_resources WHERE store = ? AND type = ? AND id = ?", (store, type_, id_)
    ).fetchone()
    return None if row is None else Version.of(row)


def last_version(connection: Connection, store: str, type_: str, id_: str) -> Version | None:
    """Return the last version in the history of a resource, which may be a deletion."""
    row = connection.execute(
        "SELECT * FROM fhir_versions WHERE store = ? AND type = ? AND id = ?"
        " ORDER BY version DESC LIMIT 1",
        (store, type_, id_),
    ).fetchone()
    return None if row is None else Version.of(row)
