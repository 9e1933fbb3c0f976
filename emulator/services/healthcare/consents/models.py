"""The data of consent stores, in the database.

A change is one transaction, with the checks of what it refers to: no reference is left without its
resource. Each revision of a consent is a row, of which the last has `is_latest`.

Inferred (conformance: consent-missing-text): the text of a refusal.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from emulator.core.database import ALL, Database
from emulator.core.errors import not_found

SCHEMA = """
CREATE TABLE consent_attribute_definitions (
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (store, id)
) WITHOUT ROWID;
CREATE TABLE consent_artifacts (
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    images TEXT NOT NULL,
    PRIMARY KEY (store, id)
);
CREATE TABLE consent_revisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    revision TEXT NOT NULL,
    user_id TEXT NOT NULL,
    artifact TEXT NOT NULL,
    is_latest INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX consent_by_revision ON consent_revisions (store, id, revision);
CREATE UNIQUE INDEX consent_latest ON consent_revisions (store, id) WHERE is_latest;
CREATE INDEX consent_by_user ON consent_revisions (store, user_id, id) WHERE is_latest;
CREATE INDEX consent_by_artifact ON consent_revisions (store, artifact) WHERE is_latest;
CREATE TABLE consent_data_mappings (
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    data_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    is_archived INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (store, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX consent_mapping_by_data ON consent_data_mappings (store, data_id)
    WHERE NOT is_archived;
CREATE INDEX consent_mapping_by_user ON consent_data_mappings (store, user_id, id)
    WHERE NOT is_archived;
"""

Json = dict[str, Any]
Page = Sequence[tuple[str, Json]]

_TABLES = (
    "consent_attribute_definitions",
    "consent_artifacts",
    "consent_revisions",
    "consent_data_mappings",
)


@dataclass(frozen=True)
class Collection:
    """A type of resource that a consent store contains.

    Attributes:
        name: in resource names
        table: of the database
        noun: in errors
        extra: the columns beside `store`, `id` and `body`
    """

    name: str
    table: str
    noun: str
    extra: tuple[str, ...] = ()

    def resource_name(self, store: str, resource_id: str) -> str:
        """Return the full name of a resource."""
        return f"{store}/{self.name}/{resource_id}"

    def find(self, connection: Connection, store: str, resource_id: str) -> Row | None:
        """Return a row, or None."""
        row: Row | None = connection.execute(
            f"SELECT * FROM {self.table} WHERE store = ? AND id = ?",  # noqa: S608 - our own table
            (store, resource_id),
        ).fetchone()
        return row

    def get(self, connection: Connection, store: str, resource_id: str) -> Row:
        """Return a row.

        Raises:
            ApiError: 404
        """
        row = self.find(connection, store, resource_id)
        if row is None:
            raise self.missing(self.resource_name(store, resource_id))
        return row

    def body(self, connection: Connection, store: str, resource_id: str) -> Json:
        """Return a resource; raises as `get`."""
        found: Json = json.loads(self.get(connection, store, resource_id)["body"])
        return found

    def missing(self, name: str) -> Exception:
        """Return the error about a resource that does not exist."""
        return not_found(f"{self.noun} {name} does not exist.")

    def put(
        self, connection: Connection, store: str, body: Mapping[str, Any], **extra: object
    ) -> None:
        """Write a resource, in place of an earlier state of it."""
        resource_id = body["name"].rpartition("/")[2]
        columns = ("store", "id", "body", *self.extra)
        values = (store, resource_id, json.dumps(body), *(extra[name] for name in self.extra))
        updates = ", ".join(f"{name} = excluded.{name}" for name in columns[2:])
        connection.execute(
            f"INSERT INTO {self.table} ({', '.join(columns)})"  # noqa: S608 - our own columns
            f" VALUES ({', '.join('?' * len(columns))})"
            f" ON CONFLICT (store, id) DO UPDATE SET {updates}",
            values,
        )

    def delete(self, connection: Connection, store: str, resource_id: str) -> None:
        """Delete a resource; raises as `get`."""
        self.get(connection, store, resource_id)
        connection.execute(
            f"DELETE FROM {self.table} WHERE store = ? AND id = ?",  # noqa: S608 - our own table
            (store, resource_id),
        )


DEFINITIONS = Collection(
    "attributeDefinitions", "consent_attribute_definitions", "attribute definition"
)
ARTIFACTS = Collection("consentArtifacts", "consent_artifacts", "consent artifact", ("images",))
MAPPINGS = Collection(
    "userDataMappings",
    "consent_data_mappings",
    "user data mapping",
    ("data_id", "user_id", "is_archived"),
)


class Records:
    """The resources of all consent stores.

    Args:
        database: holds them
        store_exists: whether a store with this full name exists
    """

    def __init__(self, database: Database, store_exists: Callable[[str], bool]) -> None:
        self._database = database
        self._store_exists = store_exists

    @contextmanager
    def change(self, store: str) -> Iterator[Connection]:
        """Yield the connection of a transaction that changes a store's data.

        Raises:
            ApiError: 404, the store was deleted meanwhile
        """
        with self._database.write() as connection:
            if not self._store_exists(store):
                raise not_found(f"consent store {store} does not exist.")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that reads."""
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection whose reads are all of one moment."""
        with self._database.snapshot(), self._database.read() as connection:
            yield connection

    def page(self, collection: Collection, store: str, after: str | None, limit: int) -> Page:
        """Return resources of a collection by id; see `paging.Fetch`."""
        table = collection.table
        return self._database.page(table, "store", store, after, limit, key="id")

    def delete_store(self, store: str) -> None:
        """Delete the data of a store that is deleted."""
        with self._database.write() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table} WHERE store = ?", (store,))  # noqa: S608

    def delete_orphans(self) -> None:
        """Delete the data of stores that no longer exist."""
        for store in self._stores():
            if not self._store_exists(store):
                self.delete_store(store)

    def _stores(self) -> Sequence[str]:
        union = " UNION ".join(f"SELECT store FROM {table}" for table in _TABLES)  # noqa: S608
        with self.read() as connection:
            return [row["store"] for row in connection.execute(union)]


def definition_bodies(connection: Connection, store: str) -> list[Json]:
    """Return the attribute definitions of a store."""
    rows = connection.execute(
        "SELECT body FROM consent_attribute_definitions WHERE store = ?", (store,)
    )
    return [json.loads(row["body"]) for row in rows]


def mapping_of_data(connection: Connection, store: str, data_id: str) -> Json | None:
    """Return the mapping of some data that is not archived, or None."""
    row = connection.execute(
        "SELECT body FROM consent_data_mappings"
        " WHERE store = ? AND data_id = ? AND NOT is_archived",
        (store, data_id),
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def mapping_page(
    connection: Connection, store: str, user: str | None, after: str | None, limit: int = ALL
) -> Page:
    """Return mappings that are not archived, by id; see `paging.Fetch`.

    Args:
        connection: reads
        store: the full name
        user: whose mappings; None for those of all
        after: the last id of the page before; None for the first page
        limit: the number of mappings at most
    """
    condition = "" if user is None else "AND user_id = ?"
    rows = connection.execute(
        "SELECT id, body FROM consent_data_mappings"  # noqa: S608 - our own text
        f" WHERE store = ? {condition} AND NOT is_archived AND id > ? ORDER BY id LIMIT ?",
        (store, *(() if user is None else (user,)), after or "", limit),
    )
    return [(row["id"], json.loads(row["body"])) for row in rows]


def is_mapped(connection: Connection, store: str, attribute: str) -> bool:
    """Whether a mapping of a store has a value of an attribute."""
    row = connection.execute(
        "SELECT 1 FROM consent_data_mappings, json_each(body, '$.resourceAttributes') AS given"
        " WHERE store = ? AND json_extract(given.value, '$.attributeDefinitionId') = ?",
        (store, attribute),
    ).fetchone()
    return row is not None
