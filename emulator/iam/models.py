"""Policies of every resource, and what the roles in them allow."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.database import Database
from emulator.errors import aborted
from emulator.iam.roles import permissions_of
from emulator.iam.validation import check_policy

SCHEMA = """
CREATE TABLE IF NOT EXISTS policies (
    resource TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    generation INTEGER NOT NULL
);
"""

Policy = dict[str, Any]


class Policies:
    """The IAM policy of each resource, by the resource's full name (`projects/P/...`).

    Reading, changing and writing back is safe among concurrent clients: a write with a stale etag
    is refused (https://cloud.google.com/iam/docs/policies#etag).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.apply(SCHEMA)

    def get(self, resource: str) -> Policy:
        """The policy of a resource; one that was never set is empty but for its etag."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body, generation FROM policies WHERE resource = ?", (resource,)
            ).fetchone()
        return _shown(row)

    def set(self, resource: str, policy: Mapping[str, Any]) -> Policy:
        """Replace the policy of a resource.

        Raises:
            ApiError: 400 for a policy that is not well formed, 409 ABORTED for a stale etag.
        """
        check_policy(policy)
        body = {key: policy[key] for key in ("bindings", "auditConfigs") if policy.get(key)}
        body["version"] = _version(policy)
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT body, generation FROM policies WHERE resource = ?", (resource,)
            ).fetchone()
            etag = policy.get("etag")
            if etag and etag != _shown(row)["etag"]:
                raise aborted(
                    "There were concurrent policy changes. Please retry the whole "
                    "read-modify-write with exponential backoff."
                )
            generation = 1 if row is None else row["generation"] + 1
            connection.execute(
                "INSERT OR REPLACE INTO policies VALUES (?, ?, ?)",
                (resource, json.dumps(body), generation),
            )
        return self.get(resource)

    def drop(self, prefix: str) -> None:
        """Forget the policies of a deleted resource and of all below it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM policies WHERE resource = ?1 OR substr(resource, 1, length(?1) + 1)"
                " = ?1 || '/'",
                (prefix,),
            )

    def allows(self, resources: Iterable[str], member: str, permission: str) -> bool:
        """Whether a member has a permission by the policy of any of the resources."""
        for resource in resources:
            for binding in self.get(resource).get("bindings", []):
                if member not in binding["members"] and "allUsers" not in binding["members"]:
                    continue
                if permission in permissions_of(binding["role"]):
                    return True
        return False


def _version(policy: Mapping[str, Any]) -> int:
    """Conditions need version 3; without any, 1 is what Google answers."""
    return 3 if any("condition" in binding for binding in policy.get("bindings", [])) else 1


def _shown(row: Any) -> Policy:
    body: Policy = {"version": 1} if row is None else json.loads(row["body"])
    generation = 0 if row is None else row["generation"]
    digest = hashlib.sha256(f"{generation}:{json.dumps(body, sort_keys=True)}".encode()).digest()
    return {**body, "etag": base64.b64encode(digest[:8]).decode()}
