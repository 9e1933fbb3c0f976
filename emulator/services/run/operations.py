"""Long-running operations of Cloud Run: each ends with the change of a resource that it is about.

They are not run in threads, as others here are: an operation ends when a container is ready, or has
ended, however long that takes.
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import ApiError, not_found
from emulator.services.run.models import Resource, Resources
from emulator.services.run.resource_types import type_of

Json = dict[str, Any]


class Operations:
    """The operations of all projects.

    Args:
        database: holds them
        resources: what they are about
        on_end: called with the name of each that has ended, and the google.rpc.Status of its end
    """

    def __init__(
        self,
        database: Database,
        resources: Resources,
        on_end: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._database = database
        self._resources = resources
        self._on_end = on_end
        self._changed = threading.Condition()

    def start(self, target: str, *, survives_error: bool = False) -> Json:
        """Start an operation on a resource.

        Args:
            target: the full name of the resource
            survives_error: whether it is a success even if the resource ends with an error
        """
        name = f"{'/'.join(target.split('/')[:4])}/operations/{uuid.uuid4()}"
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO run_operations (name, parent, target, survives_error)"
                " VALUES (?, ?, ?, ?)",
                (name, name.rpartition("/")[0], target, survives_error),
            )
        return self.get(name)

    def ended(self, body: Resource) -> Json:
        """Return an operation that has ended at its start, such as one that validates only."""
        parent = "/".join(body["name"].split("/")[:4])
        typed = _typed(body["name"], body)
        name = f"{parent}/operations/{uuid.uuid4()}"
        return {"name": name, "metadata": typed, "done": True, "response": typed}

    def get(self, name: str) -> Json:
        """Return an operation.

        Raises:
            ApiError: 404
        """
        row = self._row(name)
        if row is None:
            raise not_found(f"Operation {name} does not exist.")
        return self._resource(row)

    def page(self, parent: str, after: str | None, limit: int) -> list[tuple[str, Json]]:
        """Return names and operations of a collection, by name; see `paging.Fetch`."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM run_operations WHERE parent = ? AND name > ? ORDER BY name LIMIT ?",
                (parent, after or "", limit),
            ).fetchall()
        return [(row["name"], self._resource(row)) for row in rows]

    def pending(self) -> list[str]:
        """Return the full names of the resources whose operations have not ended."""
        query = "SELECT DISTINCT target FROM run_operations WHERE metadata IS NULL"
        with self._database.read() as connection:
            return [row["target"] for row in connection.execute(query).fetchall()]

    def delete(self, name: str) -> None:
        """Forget an operation, which continues.

        Raises:
            ApiError: 404
        """
        self.get(name)
        with self._database.write() as connection:
            connection.execute("DELETE FROM run_operations WHERE name = ?", (name,))

    def wait(self, name: str, seconds: float) -> Json:
        """Return an operation once it has ended, or the time is over.

        Raises:
            ApiError: 404
        """
        with self._changed:
            self._changed.wait_for(lambda: self.get(name).get("done"), seconds)
        return self.get(name)

    def finish(self, target: str, body: Resource, error: ApiError | None = None) -> None:
        """End the operations on a resource that have not ended.

        Args:
            target: the full name of the resource
            body: the resource as it is now, or was when it was deleted
            error: what failed
        """
        typed = json.dumps(_typed(target, body))
        status = None if error is None else error.rpc_status()
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT name, survives_error FROM run_operations"
                " WHERE target = ? AND metadata IS NULL",
                (target,),
            ).fetchall()
            ends = {row["name"]: None if row["survives_error"] else status for row in rows}
            for name, end in ends.items():
                result = (typed, None) if end is None else (None, json.dumps(end))
                connection.execute(
                    "UPDATE run_operations SET metadata = ?, response = ?, error = ?"
                    " WHERE name = ?",
                    (typed, *result, name),
                )
        with self._changed:
            self._changed.notify_all()
        for name, end in ends.items():
            self._on_end(name, end or {})

    def _row(self, name: str) -> sqlite3.Row | None:
        with self._database.read() as connection:
            query = "SELECT * FROM run_operations WHERE name = ?"
            row: sqlite3.Row | None = connection.execute(query, (name,)).fetchone()
        return row

    def _resource(self, row: sqlite3.Row) -> Json:
        operation: Json = {"name": row["name"]}
        if row["metadata"] is None:
            body = self._resources.find(row["target"])
            return operation | ({"metadata": _typed(row["target"], body)} if body else {})
        operation |= {"metadata": json.loads(row["metadata"]), "done": True}
        if row["error"] is not None:
            return {**operation, "error": json.loads(row["error"])}
        return {**operation, "response": json.loads(row["response"])}


def _typed(name: str, body: Resource) -> Json:
    return {"@type": type_of(name).type_url, **body}
