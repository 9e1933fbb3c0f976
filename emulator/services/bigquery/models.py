"""What clients said of datasets and tables: bqemulator keeps a part of it only.

It loses a dataset's key and conditions, a table's expiry and key, and what a view's query was. So
all that a client can set is kept here, but for a table's schema, which load jobs change.
"""

import json
import threading
from typing import Any

from emulator.bigquery import access
from emulator.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS bigquery_metadata (
    name TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    body TEXT NOT NULL
);
"""

Json = dict[str, Any]


class Metadata:
    """What was set, by the resource's full name (`projects/P/datasets/D/tables/T`).

    Each entry notes when bqemulator made its twin: one that was dropped there by SQL and made again
    is another resource, which inherits nothing.

    Attributes:
        changing: Held by whoever reads an entry to write it changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changing = threading.Lock()
        database.apply(SCHEMA)

    def get(self, name: str, created: str) -> Json | None:
        """What was set on the resource that bqemulator made at that time."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM bigquery_metadata WHERE name = ? AND created = ?",
                (name, created),
            ).fetchone()
        return None if row is None else json.loads(row["body"])

    def below(self, prefix: str) -> dict[tuple[str, str], Json]:
        """What was set on every resource below another, by name and time of creation."""
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

    def drop(self, name: str) -> None:
        """Forget a deleted resource and all below it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM bigquery_metadata WHERE name = ?1"
                " OR substr(name, 1, length(?1) + 1) = ?1 || '/'",
                (name,),
            )

    def allows(self, dataset: str, member: str, permission: str) -> bool:
        """Whether a dataset's own access entries give a member a permission.

        Args:
            dataset: The full name, `projects/P/datasets/D`.
            member: As IAM writes it, `serviceAccount:ADDRESS`.
            permission: Such as `bigquery.tables.create`.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM bigquery_metadata WHERE name = ?", (dataset,)
            ).fetchone()
        entries = [] if row is None else json.loads(row["body"]).get("access", [])
        return access.allows(entries, member, permission)
