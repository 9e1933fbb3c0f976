"""Resources that are stored as they are: settings of services that act on them elsewhere or not."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import already_exists, not_found
from emulator.core.resources.paging import paginate

SCHEMA = """
CREATE TABLE stored_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX stored_resources_by_parent ON stored_resources (parent, name);
"""

Json = dict[str, Any]
_MAX_PAGE = 1000


class StoredResources:
    """The resources of one collection, in all projects, by full name.

    Args:
        database: holds them
        collection: the part of their names before the id, such as `sinks`
        type_: for errors, such as `Sink`
    """

    def __init__(self, database: Database, collection: str, type_: str) -> None:
        self._database = database
        self._collection = collection
        self._type = type_

    def name_of(self, project: str, id_: str) -> str:
        """Return the full name of a resource of a project."""
        return f"{self._parent(project)}/{id_}"

    def find(self, name: str) -> Json | None:
        """Return a resource; None if it does not exist."""
        with self._database.read() as connection:
            query = "SELECT body FROM stored_resources WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else json.loads(row["body"])

    def get(self, name: str) -> Json:
        """Return a resource.

        Raises:
            ApiError: 404
        """
        found = self.find(name)
        if found is None:
            raise not_found(
                f"{self._type} {name.partition('/')[2].split('/', 2)[2]} does not exist"
            )
        return found

    def list_page(
        self, project: str, query: Mapping[str, str], field: str, *, default: int
    ) -> Json:
        """Return a page of the resources of a project, by name.

        Args:
            project: the project
            query: of the request
            field: of the response
            default: resources of a page if the request names no size

        Raises:
            ApiError: 400 for a page size or a page token that is not valid
        """
        parent = self._parent(project)
        return paginate(
            partial(self.page, parent),
            query,
            field,
            scope=parent,
            default=default,
            maximum=_MAX_PAGE,
        )

    def page(self, parent: str, after: str | None, limit: int) -> Sequence[tuple[str, Json]]:
        """Return names and resources whose names begin with a collection; see `paging.Fetch`.

        Args:
            parent: such as `projects/P/sinks`
            after: the last name of the page before; None for the first page
            limit: of resources
        """
        return self._database.page("stored_resources", "parent", parent, after, limit)

    def everywhere(self) -> dict[str, Json]:
        """Return the resources of all projects, by full name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, body FROM stored_resources WHERE parent LIKE ?",
                (f"projects/%/{self._collection}",),
            ).fetchall()
        return {row["name"]: json.loads(row["body"]) for row in rows}

    def create(self, name: str, body: Json) -> Json:
        """Add a resource.

        Raises:
            ApiError: 409 if the name is taken
        """
        parent = name.rpartition("/")[0]
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO stored_resources VALUES (?, ?, ?)",
                (name, parent, json.dumps(body)),
            ).rowcount
        if not added:
            raise already_exists(f"{self._type} {name.rpartition('/')[2]} already exists")
        return body

    def update(self, name: str, change: Callable[[Json], Json]) -> Json:
        """Replace a resource by what a function returns for it.

        Raises:
            ApiError: 404
        """
        with self._database.write() as connection:
            body = change(self.get(name))
            connection.execute(
                "UPDATE stored_resources SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
        return body

    def delete(self, name: str) -> None:
        """Delete a resource.

        Raises:
            ApiError: 404
        """
        self.get(name)
        with self._database.write() as connection:
            connection.execute("DELETE FROM stored_resources WHERE name = ?", (name,))

    def _parent(self, project: str) -> str:
        return f"projects/{project}/{self._collection}"
