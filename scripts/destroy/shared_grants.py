"""Grants and audit configurations that another stack holds too.

A policy has one entry for a role and a member, however many stacks ask for it: destroying one stack
would take the entry from all of them. Two stacks hold the same entry if their resources have the
same type and id.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from scripts.destroy.state import AUDIT_LOGS, Entry, State

Json = dict[str, Any]


def candidates(state: State) -> list[Entry]:
    """Return the entries in policies of resources that the stack does not destroy itself."""
    destroyed = [entry.id for entry in state.managed if entry.why is None and not _is_entry(entry)]
    return [
        entry
        for entry in state.managed
        if _is_entry(entry) and not any(f"{name}/" in f"{entry.id}/" for name in destroyed)
    ]


def find(state: State, others: Mapping[str, Json]) -> dict[str, str]:
    """Find the entries that another stack holds too.

    Args:
        state: the stack's
        others: name of each other stack -> its exported state

    Returns:
        URN -> the first stack that holds it
    """
    holders: dict[tuple[str, str], str] = {}
    for name, exported in others.items():
        for entry in State.from_json(exported).managed:
            holders.setdefault((entry.type, entry.id), name)
    found = ((entry.urn, holders.get((entry.type, entry.id))) for entry in candidates(state))
    return {urn: name for urn, name in found if name is not None}


def retain(exported: Json, urns: Iterable[str]) -> Json:
    """Return a state in which Pulumi forgets these resources instead of deleting them."""
    kept = set(urns)
    resources = [
        {**body, "retainOnDelete": True} if body["urn"] in kept else body
        for body in exported["deployment"]["resources"]
    ]
    return {**exported, "deployment": {**exported["deployment"], "resources": resources}}


def _is_entry(entry: Entry) -> bool:
    return entry.type == AUDIT_LOGS or entry.type.lower().endswith("iammember")
