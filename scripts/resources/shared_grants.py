"""Grants and audit configurations that another stack holds too.

A policy has one entry for a role and a member, however many stacks ask for it: deleting it with one
stack would take it from all of them. Two stacks hold the same entry if their resources have the
same type and id.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scripts.lib.pulumi_stack import PulumiStack

Json = dict[str, Any]
Entry = tuple[str, str]
"""The type and the id of a resource."""

AUDIT_LOGS = "gcp:projects/iAMAuditConfig:IAMAuditConfig"


def is_entry(type_: str) -> bool:
    """Whether a type is an entry in the policy of another resource."""
    return type_ == AUDIT_LOGS or type_.lower().endswith("iammember")


def holders(others: Mapping[str, Json]) -> dict[Entry, str]:
    """Find the holders of entries.

    Args:
        others: name of each other stack -> its exported state

    Returns:
        Type and id -> the first stack that holds it.
    """
    found: dict[Entry, str] = {}
    for name, exported in others.items():
        for body in _managed(exported):
            if is_entry(body["type"]):
                found.setdefault((body["type"], body["id"]), name)
    return found


def retain(exported: Json, urns: Iterable[str]) -> Json:
    """Return a state in which Pulumi forgets these resources instead of deleting them."""
    kept = set(urns)
    resources = [
        {**body, "retainOnDelete": True} if body["urn"] in kept else body
        for body in exported["deployment"]["resources"]
    ]
    return {**exported, "deployment": {**exported["deployment"], "resources": resources}}


def retain_in_update(
    stack: PulumiStack, exported: Json | None, report: Callable[[str], None]
) -> None:
    """Have the next update forget, not delete, what another stack holds too.

    The state alone changes. The update deletes the marks of resources that the program still
    declares.

    Args:
        stack: the stack
        exported: its state; None if there is no such stack
        report: called with the names of what is marked

    Raises:
        ScriptError: Pulumi can't read or write a state
    """
    candidates = _candidates(exported or {})
    if exported is None or not candidates:
        return
    held = holders(stack.other_states())
    shared = [body for body in candidates if (body["type"], body["id"]) in held]
    if not shared:
        return
    named = ", ".join(sorted({held[body["type"], body["id"]] for body in shared}))
    report(
        f"Other stacks hold these too ({named}); an update that no longer declares one leaves it:"
    )
    for body in shared:
        report(f"  {body['id']}")
    stack.import_state(retain(exported, [body["urn"] for body in shared]))


def _candidates(exported: Json) -> list[Json]:
    """Return the entries in policies of resources that the stack did not create."""
    managed = _managed(exported)
    created = [f"{body['id']}/" for body in managed if not is_entry(body["type"])]
    return [
        body
        for body in managed
        if is_entry(body["type"])
        and not body.get("retainOnDelete")
        and not any(body["id"].startswith(name) for name in created)
    ]


def _managed(exported: Json) -> list[Json]:
    """Return the resources in the cloud that a stack created."""
    return [
        body
        for body in (exported.get("deployment") or {}).get("resources") or ()
        if body.get("custom") and not body.get("external") and body.get("id")
    ]
