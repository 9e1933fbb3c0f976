"""Policies of every resource, and what the roles in them allow.

Inferred (conformance: iam-new-policy, iam-etag-text): the version of a policy that was never set,
and the text of a conflict.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import aborted
from emulator.services.iam import conditions
from emulator.services.iam.conditions import Target
from emulator.services.iam.custom_roles import Roles
from emulator.services.iam.roles import permissions_of
from emulator.services.iam.validation import check_policy, decoded

SCHEMA = """
CREATE TABLE IF NOT EXISTS policies (
    resource TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    generation INTEGER NOT NULL
);
"""

Policy = dict[str, Any]
Binding = dict[str, Any]
Permissions = Callable[[str], Collection[str]]
"""Returns the permissions of a role."""

WHOLE = ("bindings", "auditConfigs")
"""Fields of a policy beside its version and etag."""
EVERYBODY = frozenset({"allAuthenticatedUsers", "allUsers"})
"""Members that include every account, or every signed-in account, service agents among them."""


class Policies:
    """The IAM policy of each resource, by the resource's full name (`projects/P/...`).

    Reading, changing and writing back is safe among concurrent clients: a write with a stale etag
    is refused (https://cloud.google.com/iam/docs/policies#etag).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.roles = Roles(database)
        self._has_audit_configs: bool | None = None

    def get(self, resource: str) -> Policy:
        """Return the policy of a resource; one that was never set is empty but for its etag."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body, generation FROM policies WHERE resource = ?", (resource,)
            ).fetchone()
        return _policy_of(row)

    def below(self, prefix: str) -> list[tuple[str, Policy]]:
        """Return a resource and those below it whose policy was set, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT resource, body, generation FROM policies WHERE resource = ?1"
                " OR substr(resource, 1, length(?1) + 1) = ?1 || '/' ORDER BY resource",
                (prefix,),
            ).fetchall()
        return [(row["resource"], _policy_of(row)) for row in rows]

    def have_audit_configs(self) -> bool:
        """Whether the policy of any resource may ask for audit logs."""
        if self._has_audit_configs is None:
            query = "SELECT 1 FROM policies WHERE instr(body, '\"auditConfigs\"') LIMIT 1"
            with self._database.read() as connection:
                self._has_audit_configs = connection.execute(query).fetchone() is not None
        return self._has_audit_configs

    def is_set(self, resource: str) -> bool:
        """Whether the policy of a resource was ever set."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM policies WHERE resource = ?"
            return connection.execute(query, (resource,)).fetchone() is not None

    def set(
        self, resource: str, policy: Mapping[str, Any], fields: Collection[str] = WHOLE
    ) -> Policy:
        """Replace the policy of a resource, or some of its fields.

        Raises:
            ApiError: 400 for a policy that is not well formed, 409 ABORTED for a stale etag.
        """
        check_policy(policy)
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT body, generation FROM policies WHERE resource = ?", (resource,)
            ).fetchone()
            present = _policy_of(row)
            etag = policy.get("etag")
            if etag and decoded(etag) != decoded(present["etag"]):
                raise aborted(
                    "There were concurrent policy changes. Please retry the whole "
                    "read-modify-write with exponential backoff."
                )
            merged = {key: (policy if key in fields else present).get(key) for key in WHOLE}
            merged["bindings"] = _merged(merged["bindings"] or [])
            merged["auditConfigs"] = _merged_audit(merged["auditConfigs"] or [])
            body = {key: value for key, value in merged.items() if value}
            body["version"] = 3 if any(map(_condition, body.get("bindings", []))) else 1
            connection.execute(
                "INSERT OR REPLACE INTO policies VALUES (?, ?, ?)",
                (resource, json.dumps(body), 1 if row is None else row["generation"] + 1),
            )
        if "auditConfigs" in body:
            self._has_audit_configs = True
        return self.get(resource)

    def delete_prefix(self, prefix: str) -> None:
        """Delete the policies of a deleted resource and of all below it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM policies WHERE resource = ?1 OR substr(resource, 1, length(?1) + 1)"
                " = ?1 || '/'",
                (prefix,),
            )

    def delete_orphans(self, part: str, exists: Callable[[str], bool]) -> None:
        """Delete the policies of resources whose deletion a crash interrupted.

        Args:
            part: a part of the names of these resources, such as `/datasets/`
            exists: whether such a resource exists
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT resource FROM policies WHERE instr(resource, ?)", (part,)
            ).fetchall()
        for row in rows:
            if not exists(row["resource"]):
                self.delete_prefix(row["resource"])

    def allows(
        self, resources: Iterable[str], member: str, permission: str, target: Target
    ) -> bool:
        """Whether a member has a permission by the policy of any of the resources.

        Args:
            resources: full names of the target and of what contains it
            member: as IAM writes it
            permission: such as `storage.objects.get`
            target: what conditions are evaluated for
        """
        return any(
            self.grant(self.get(resource), member, permission, target) for resource in resources
        )

    def grant(
        self, policy: Mapping[str, Any], member: str, permission: str, target: Target
    ) -> bool:
        """Whether a policy grants a member a permission, by predefined and custom roles."""
        return grants(policy, member, permission, target, self.roles.permissions_of)


def grants(
    policy: Mapping[str, Any],
    member: str,
    permission: str,
    target: Target,
    permissions: Permissions = permissions_of,
) -> bool:
    """Whether a policy grants a member a permission; see `Policies.allows`."""
    names = {member, *EVERYBODY}
    return any(
        permission in permissions(binding["role"]) and conditions.applies(binding, target)
        for binding in policy.get("bindings", [])
        if not names.isdisjoint(binding["members"])
    )


def without_conditions(policy: Policy) -> Policy:
    """Return a policy for a client that did not ask for version 3.

    Roles with a condition are renamed, so that clients do not take them for unconditional ones:
    https://cloud.google.com/iam/docs/troubleshooting-withcond.
    """
    if policy["version"] < 3:
        return policy
    return {**policy, "version": 1, "bindings": [_mangled(one) for one in policy["bindings"]]}


def _mangled(binding: Binding) -> Binding:
    if not binding.get("condition"):
        return binding
    digest = hashlib.sha256(_condition(binding).encode()).hexdigest()[:20]
    return {"role": f"{binding['role']}_withcond_{digest}", "members": binding["members"]}


def _merged(bindings: Iterable[Binding]) -> list[Binding]:
    """One binding for each role and condition, each member once, none without members."""
    merged: dict[tuple[str, str], Binding] = {}
    for binding in bindings:
        key = (binding["role"], _condition(binding))
        kept = merged.setdefault(key, {**binding, "members": []})
        kept["members"] = list(dict.fromkeys([*kept["members"], *(binding.get("members") or [])]))
    return [binding for binding in merged.values() if binding["members"]]


def _merged_audit(configs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each service, with one for each type of log and each exempted member once."""
    services: dict[str, dict[str, dict[str, Any]]] = {}
    for config in configs:
        types = services.setdefault(config["service"], {})
        for entry in config["auditLogConfigs"]:
            kept = types.setdefault(entry["logType"], {"logType": entry["logType"]})
            exempt = [*kept.get("exemptedMembers", []), *(entry.get("exemptedMembers") or [])]
            kept |= {"exemptedMembers": list(dict.fromkeys(exempt))} if exempt else {}
    return [
        {"service": service, "auditLogConfigs": [*types.values()]}
        for service, types in services.items()
    ]


def _condition(binding: Binding) -> str:
    condition = binding.get("condition")
    return json.dumps(condition, sort_keys=True) if condition else ""


def _policy_of(row: Any) -> Policy:
    body: Policy = {"version": 1} if row is None else json.loads(row["body"])
    generation = 0 if row is None else row["generation"]
    digest = hashlib.sha256(f"{generation}:{json.dumps(body, sort_keys=True)}".encode()).digest()
    return {**body, "etag": base64.b64encode(digest[:8]).decode()}
