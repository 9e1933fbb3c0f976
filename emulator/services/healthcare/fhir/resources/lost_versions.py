"""Versions that neither the store nor its history has, and the operations that made changes.

Documented (https://cloud.google.com/healthcare-api/docs/fhir-pitr): a rollback reaches back 21
days, and does not depend on the history of versions, which a store may lack and a purge deletes.
"""

import time
from sqlite3 import Connection

from emulator.services.healthcare.fhir.resources.version import Version

SCHEMA = """
CREATE TABLE fhir_lost_versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    method TEXT NOT NULL,
    body BLOB,
    lost INTEGER NOT NULL
);
CREATE UNIQUE INDEX fhir_lost_versions_by_id ON fhir_lost_versions (store, type, id, version);
CREATE INDEX fhir_lost_versions_by_time ON fhir_lost_versions (lost);
CREATE TABLE fhir_operation_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    operation TEXT NOT NULL
);
CREATE UNIQUE INDEX fhir_operation_changes_by_id
    ON fhir_operation_changes (store, type, id, version);
CREATE INDEX fhir_operation_changes_by_time ON fhir_operation_changes (version);
"""
TABLES = ("fhir_lost_versions", "fhir_operation_changes")
"""The tables with a column `store` whose rows go with the store."""
RETENTION_DAYS = 21
_DAY = 24 * 60 * 60 * 10**9


def first_version() -> int:
    """Return the first version that a rollback may restore: nanoseconds since 1970."""
    return time.time_ns() - RETENTION_DAYS * _DAY


def keep(connection: Connection, store: str, version: Version) -> None:
    """Keep a version that leaves the store and is not in its history."""
    connection.execute(
        "INSERT OR REPLACE INTO fhir_lost_versions (store, type, id, version, method, body, lost)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            store,
            version.type,
            version.id,
            version.version,
            version.method,
            version.body or None,
            time.time_ns(),
        ),
    )


def keep_history(connection: Connection, store: str, type_: str, id_: str) -> None:
    """Keep the versions of a history that is about to be deleted."""
    connection.execute(
        "INSERT OR REPLACE INTO fhir_lost_versions (store, type, id, version, method, body, lost)"
        " SELECT store, type, id, version, method, body, ? FROM fhir_versions"
        " WHERE store = ? AND type = ? AND id = ?",
        (time.time_ns(), store, type_, id_),
    )


def note_operation(connection: Connection, store: str, version: Version, operation: str) -> None:
    """Note which operation made a version."""
    connection.execute(
        "INSERT OR REPLACE INTO fhir_operation_changes (store, type, id, version, operation)"
        " VALUES (?, ?, ?, ?, ?)",
        (store, version.type, version.id, version.version, operation),
    )


def delete_old(connection: Connection) -> None:
    """Delete what no rollback may restore any longer."""
    first = first_version()
    connection.execute("DELETE FROM fhir_lost_versions WHERE lost < ?", (first,))
    connection.execute("DELETE FROM fhir_operation_changes WHERE version < ?", (first,))
