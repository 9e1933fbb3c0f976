"""The resources of Compute Engine: one table of all types, and who refers to whom."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emulator.core.database import ALL, Database
from emulator.services.compute.errors import already_exists, in_use, not_found
from emulator.services.compute.names import parts_of

SCHEMA = """
CREATE TABLE compute_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    collection TEXT NOT NULL,
    body TEXT NOT NULL,
    local TEXT NOT NULL
);
CREATE INDEX compute_resources_by_parent ON compute_resources (parent, name);
CREATE INDEX compute_resources_by_collection ON compute_resources (collection, name);
CREATE TABLE compute_references (
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (source, target)
);
CREATE INDEX compute_references_by_target ON compute_references (target, source);
CREATE TABLE compute_projects (project TEXT PRIMARY KEY);
"""

Json = dict[str, Any]


class Resources:
    """Every resource, by its name, such as `projects/P/regions/R/addresses/A`.

    Beside its body, a resource has a local part, which answers do not show: what the local Google
    Cloud keeps of it for itself.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Json | None:
        """Return a resource; None if it does not exist."""
        return self._column("body", name)

    def get(self, name: str) -> Json:
        """Return a resource.

        Raises:
            ComputeError: 404
        """
        found = self.find(name)
        if found is None:
            raise not_found(name)
        return found

    def local(self, name: str) -> Json:
        """Return the local part of a resource; empty if it has none."""
        return self._column("local", name) or {}

    def page(self, parent: str, after: str | None, limit: int) -> Sequence[tuple[str, Json]]:
        """Return names and resources of a collection, by name; see `core.paging.Fetch`."""
        return self._database.page("compute_resources", "parent", parent, after, limit)

    def all_in(self, parent: str) -> list[Json]:
        """Return the resources of a collection, such as `projects/P/global/networks`."""
        return [body for _, body in self.page(parent, None, ALL)]

    def everywhere(self, collection: str) -> dict[str, Json]:
        """Return the resources of a type in all projects and locations, by name."""
        return dict(self._database.page("compute_resources", "collection", collection, None, ALL))

    def with_local(self, collection: str, key: str, value: str) -> list[tuple[str, Json, Json]]:
        """Return names, bodies and local parts of the resources whose local part has a value.

        Args:
            collection: their type
            key: of the local part
            value: that it has
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, body, local FROM compute_resources"
                " WHERE collection = ? AND json_extract(local, ?) = ? ORDER BY name",
                (collection, f"$.{key}", value),
            ).fetchall()
        return [(row["name"], json.loads(row["body"]), json.loads(row["local"])) for row in rows]

    def users(self, name: str) -> Sequence[str]:
        """Return the names of the resources that refer to one."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT source FROM compute_references WHERE target = ? ORDER BY source", (name,)
            ).fetchall()
        return [row["source"] for row in rows]

    def create(
        self, name: str, body: Json, references: Iterable[str] = (), local: Json | None = None
    ) -> None:
        """Add a resource.

        Args:
            name: of it
            body: as answers show it
            references: names of the resources that can't be deleted as long as this one exists
            local: its local part

        Raises:
            ComputeError: 409, the name is taken
        """
        parts = parts_of(name)
        values = (name, parts.parent, parts.collection, json.dumps(body), json.dumps(local or {}))
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO compute_resources VALUES (?, ?, ?, ?, ?)", values
            ).rowcount
            if not added:
                raise already_exists(name)
            _refer(connection, name, references)

    def put(self, name: str, body: Json, references: Iterable[str]) -> None:
        """Replace the body of a resource, which exists."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE compute_resources SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
            connection.execute("DELETE FROM compute_references WHERE source = ?", (name,))
            _refer(connection, name, references)

    def update(self, name: str, change: Mapping[str, Any]) -> None:
        """Replace some fields of a resource, if it exists still."""
        self._change("body", name, lambda body: {**body, **change})

    def update_local(self, name: str, change: Mapping[str, Any]) -> None:
        """Replace some fields of the local part of a resource, if it exists still."""
        self._change("local", name, lambda local: {**local, **change})

    def delete(self, name: str, noun: str, owned: Iterable[str] = ()) -> None:
        """Delete a resource.

        Args:
            name: of it
            noun: what it is, such as `instance_template`
            owned: names of resources that are deleted with it

        Raises:
            ComputeError: 404, or 400 if another resource refers to it or to what it owns
        """
        gone = [name, *owned]
        with self._database.write() as connection:
            query = "SELECT target, source FROM compute_references WHERE target = ?"
            for target in gone:
                for row in connection.execute(query, (target,)).fetchall():
                    if row["source"] not in gone:
                        raise in_use(noun, name, row["source"])
            for each in reversed(gone):
                connection.execute("DELETE FROM compute_references WHERE source = ?", (each,))
                deleted = connection.execute(
                    "DELETE FROM compute_resources WHERE name = ?", (each,)
                ).rowcount
            if not deleted:
                raise not_found(name)

    def begin_project(self, project: str, make: Callable[[], Iterable[tuple[str, Json]]]) -> None:
        """Add the resources that a project has from the start, unless it has had them already.

        Args:
            project: its id
            make: returns names and bodies
        """
        query = "SELECT 1 FROM compute_projects WHERE project = ?"
        with self._database.read() as connection:
            if connection.execute(query, (project,)).fetchone():
                return
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO compute_projects VALUES (?)", (project,))
            for name, body in make():
                parts = parts_of(name)
                values = (name, parts.parent, parts.collection, json.dumps(body), "{}")
                connection.execute(
                    "INSERT OR IGNORE INTO compute_resources VALUES (?, ?, ?, ?, ?)", values
                )
                if "network" in body:
                    _refer(connection, name, [parts_of(body["network"]).name])

    def prune(self, collection: str, field: str, before: str) -> None:
        """Delete the resources of a type that a field calls older than a moment."""
        for name, body in self.everywhere(collection).items():
            if body.get(field, before) < before:
                self.delete(name, collection)

    def _column(self, column: str, name: str) -> Json | None:
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {column} FROM compute_resources WHERE name = ?",  # noqa: S608
                (name,),
            ).fetchone()
        return None if row is None else json.loads(row[column])

    def _change(self, column: str, name: str, change: Callable[[Json], Json]) -> None:
        with self._database.write() as connection:
            query = f"SELECT {column} FROM compute_resources WHERE name = ?"  # noqa: S608
            row = connection.execute(query, (name,)).fetchone()
            if row is None:
                return
            changed = json.dumps(change(json.loads(row[column])))
            connection.execute(
                f"UPDATE compute_resources SET {column} = ? WHERE name = ?",  # noqa: S608
                (changed, name),
            )


def _refer(connection: Any, name: str, references: Iterable[str]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO compute_references VALUES (?, ?)",
        [(name, target) for target in references],
    )
