"""Projects: any valid id exists as soon as it is named."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import ApiError, not_found, permission_denied
from emulator.services.iam import callers
from emulator.services.iam.models import Policies

SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
"""
_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_FIXED_NUMBERS = {"local-project": "123456789012"}


class Projects:
    """The projects that were named so far."""

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    def get(self, id_or_number: str) -> dict[str, Any]:
        """Return the project as Resource Manager v1 answers it.

        Raises:
            ApiError: 403 for what cannot be a project's id, as the real one answers it.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM projects WHERE id = ?1 OR number = ?1", (id_or_number,)
            ).fetchone()
        if row is None:
            self._create(id_or_number)
            return self.get(id_or_number)
        return {
            "projectId": row["id"],
            "projectNumber": row["number"],
            "lifecycleState": "ACTIVE",
            "name": row["id"],
            "createTime": row["created"],
        }

    def id_of(self, id_or_number: str) -> str:
        """Return the id of a project given by id or number."""
        return str(self.get(id_or_number)["projectId"])

    def number_of(self, id_or_number: str) -> str:
        """Return the number of a project given by id or number."""
        return str(self.get(id_or_number)["projectNumber"])

    def page(self, after: str | None, limit: int) -> Sequence[tuple[str, dict[str, Any]]]:
        """Return ids and projects that were named so far, by id; see `paging.Fetch`."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id FROM projects WHERE id > ? ORDER BY id LIMIT ?", (after or "", limit)
            ).fetchall()
        return [(row["id"], self.get(row["id"])) for row in rows]

    def _create(self, project: str) -> None:
        if project.isdigit():
            raise not_found(f"Project number {project} is not known: name the project by its id.")
        if not _ID.fullmatch(project):
            raise permission_denied(
                f"Permission denied on resource project {project}: it is not a valid project id "
                "(6 to 30 lowercase letters, digits and hyphens, beginning with a letter)."
            )
        digits = int(hashlib.sha256(project.encode()).hexdigest(), 16) % 9 * 10**11
        rest = int(hashlib.sha256(b"number " + project.encode()).hexdigest(), 16) % 10**11
        number = _FIXED_NUMBERS.get(project, str(10**11 + digits + rest))
        # The owner first: a request beside this one must not find a project without one.
        self._make_owner(f"projects/{project}")
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO projects (id, number) VALUES (?, ?)", (project, number)
            )

    def _make_owner(self, resource: str) -> None:
        """Make the caller the owner of a project whose policy is empty."""
        found = self._policies.get(resource)
        if found.get("bindings"):
            return
        owner = {"role": "roles/owner", "members": [callers.OWNER]}
        try:
            self._policies.set(resource, {"bindings": [owner], "etag": found["etag"]})
        except ApiError as error:
            if error.status != "ABORTED":  # another request has just done it
                raise
