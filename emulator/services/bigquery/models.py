"""Metadata of datasets and tables as clients set it: bqemulator keeps only a part.

It loses a dataset's key and conditions, a table's expiry and key, and what a view's query was. So
all that a client can set is kept here, but for a table's schema, which load jobs change.
"""

import json
import threading
from typing import Any

from emulator.core.database import Database
from emulator.services.bigquery import access
from emulator.services.iam.conditions import Target
from emulator.services.iam.models import Permissions
from emulator.services.iam.roles import permissions_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS bigquery_metadata (
    name TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    body TEXT NOT NULL
);
"""

Json = dict[str, Any]


class Metadata:
    """The metadata that clients set, by full name (`projects/P/datasets/D/tables/T`).

    Each entry has the creation time of the resource in bqemulator: one that SQL dropped and created
    again there is another resource, which inherits nothing.

    Attributes:
        changing: The lock for reading and changing an entry.
    """

    def __init__(self, database: Database, permissions: Permissions = permissions_of) -> None:
        """Keep the state.

        Args:
            database: holds the metadata
            permissions: returns the permissions of a role
        """
        self._database = database
        self._permissions = permissions
        self.changing = threading.Lock()

    def get(self, name: str, created: str) -> Json | None:
        """Return the metadata of the resource that bqemulator created at that time."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM bigquery_metadata WHERE name = ? AND created = ?",
                (name, created),
            ).fetchone()
        return None if row is None else json.loads(row["body"])

    def below(self, prefix: str) -> dict[tuple[str, str], Json]:
        """Return the metadata of every resource below another, by name and creation time."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM bigquery_metadata WHERE substr(name, 1, length(?1) + 1) = ?1 || '/'",
                (prefix,),
            ).fetchall()
        return {(row["name"], row["created"]): json.loads(row["body"]) for row in rows}

    def set(self, name: str, created: str, body: Json) -> None:
        """Note what a resource is now."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO bigquery_metadata VALUES (?, ?, ?)",
                (name, created, json.dumps(body)),
            )

    def delete_prefix(self, name: str) -> None:
        """Delete the metadata of a deleted resource and of all below it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM bigquery_metadata WHERE name = ?1"
                " OR substr(name, 1, length(?1) + 1) = ?1 || '/'",
                (name,),
            )

    def allows(self, dataset: str, member: str, permission: str, target: Target) -> bool:
        """Whether the access entries of a dataset grant a member a permission.

        Args:
            dataset: The full name, `projects/P/datasets/D`.
            member: As IAM writes it, `serviceAccount:ADDRESS`.
            permission: Such as `bigquery.tables.create`.
            target: What conditions are evaluated for.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM bigquery_metadata WHERE name = ?", (dataset,)
            ).fetchone()
        entries = [] if row is None else json.loads(row["body"]).get("access", [])
        return access.allows(entries, member, permission, target, self._permissions)
