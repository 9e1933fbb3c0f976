"""Custom roles of projects, beside the predefined ones.

Documented: https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles. A role that is
deleted or disabled grants nothing.
"""

import json
from collections.abc import Sequence
from typing import Any

from emulator.core.database import Database
from emulator.services.iam import roles

SCHEMA = """
CREATE TABLE custom_roles (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    body TEXT NOT NULL
);
"""
PREDEFINED = "roles/"

Role = dict[str, Any]


class Roles:
    """The roles that policies may name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def permissions_of(self, role: str) -> frozenset[str]:
        """Return the permissions of a role; none for one that is not known."""
        if role.startswith(PREDEFINED):
            return roles.permissions_of(role)
        found = self.find(role)
        if found is None or found.get("deleted") or found.get("stage") == "DISABLED":
            return frozenset()
        return frozenset(found.get("includedPermissions", []))

    def find(self, name: str) -> Role | None:
        """Return a custom role by its full name, a deleted one too."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM custom_roles WHERE name = ?", (name,)
            ).fetchone()
        return None if row is None else json.loads(row["body"])

    def page(self, project: str, after: str | None, limit: int) -> Sequence[tuple[str, Role]]:
        """Return names and custom roles of a project, by name; see `paging.Fetch`."""
        return self._database.page("custom_roles", "project", project, after, limit)

    def put(self, project: str, role: Role) -> None:
        """Write a custom role."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO custom_roles VALUES (?, ?, ?)",
                (role["name"], project, json.dumps(role)),
            )
