"""The resources of Cloud Run, by full name."""

import json
from collections.abc import Callable
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import already_exists, not_found

SCHEMA = """
CREATE TABLE run_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    port INTEGER
);
CREATE INDEX run_by_parent ON run_resources (parent, name);
CREATE TABLE run_operations (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    target TEXT NOT NULL,
    survives_error INTEGER NOT NULL,
    metadata TEXT,
    response TEXT,
    error TEXT
);
CREATE INDEX run_operations_by_target ON run_operations (target);
"""

Resource = dict[str, Any]


class Resources:
    """Services, jobs and worker pools, with their revisions, executions and tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Resource | None:
        """Return a resource; None if it does not exist."""
        with self._database.read() as connection:
            query = "SELECT body FROM run_resources WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else json.loads(row["body"])

    def get(self, name: str) -> Resource:
        """Return a resource.

        Raises:
            ApiError: 404
        """
        found = self.find(name)
        if found is None:
            raise not_found(
                f"Resource '{name.rpartition('/')[2]}' of kind '{_noun(name)}' in "
                f"region '{name.split('/')[3]}' in project '{name.split('/')[1]}' does "
                "not exist."
            )
        return found

    def page(self, parent: str, after: str | None, limit: int) -> list[tuple[str, Resource]]:
        """Return names and resources of a collection, by name; see `paging.Fetch`.

        Args:
            parent: the collection, such as `projects/P/locations/L/services`
            after: the last name of the page before; None for the first page
            limit: of resources
        """
        return self._database.page("run_resources", "parent", parent, after, limit)

    def below(self, prefix: str) -> list[Resource]:
        """Return all resources whose name begins with a prefix, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM run_resources WHERE substr(name, 1, length(?1)) = ?1"
                " ORDER BY name",
                (prefix,),
            ).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def create(self, *bodies: Resource) -> None:
        """Add resources: all of them, or none.

        Raises:
            ApiError: 409 if a name is taken
        """
        with self._database.write() as connection:
            for body in bodies:
                name = body["name"]
                added = connection.execute(
                    "INSERT OR IGNORE INTO run_resources (name, parent, body) VALUES (?, ?, ?)",
                    (name, name.rpartition("/")[0], json.dumps(body)),
                ).rowcount
                if not added:
                    raise already_exists(f"Resource '{name.rpartition('/')[2]}' already exists.")

    def update(self, name: str, change: Callable[[Resource], Resource]) -> Resource | None:
        """Replace a resource by what a function returns for it; None if it does not exist."""
        with self._database.write() as connection:
            query = "SELECT body FROM run_resources WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
            if row is None:
                return None
            body = change(json.loads(row["body"]))
            connection.execute(
                "UPDATE run_resources SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
        return body

    def delete(self, name: str) -> None:
        """Delete a resource and all below it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM run_resources WHERE name = ?1"
                " OR substr(name, 1, length(?1) + 1) = ?1 || '/'",
                (name,),
            )

    def clear(self) -> None:
        """Delete all resources."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM run_resources")

    def port(self, name: str) -> int | None:
        """Return the port of a service's address, if it has one yet."""
        with self._database.read() as connection:
            query = "SELECT port FROM run_resources WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else row["port"]

    def set_port(self, name: str, port: int) -> None:
        """Keep the port of a service's address."""
        with self._database.write() as connection:
            connection.execute("UPDATE run_resources SET port = ? WHERE name = ?", (port, name))


def _noun(name: str) -> str:
    return name.rsplit("/", 2)[1].removesuffix("s").upper()
