"""Grants and audit configurations that a tear-down may not delete: others need them, or may."""

from collections.abc import Mapping
from typing import Any

from scripts.destroy.state import Entry, State
from scripts.resources.shared_grants import holders, is_entry

Json = dict[str, Any]


def candidates(state: State) -> list[Entry]:
    """Return the entries in policies of resources that the stack does not destroy itself."""
    destroyed = [
        entry.id for entry in state.managed if entry.why is None and not is_entry(entry.type)
    ]
    return [
        entry
        for entry in state.managed
        if is_entry(entry.type) and not any(f"{name}/" in f"{entry.id}/" for name in destroyed)
    ]


def find(state: State, others: Mapping[str, Json]) -> dict[str, str]:
    """Find the entries that another stack holds too.

    Args:
        state: the stack's
        others: name of each other stack -> its exported state

    Returns:
        URN -> the first stack that holds it
    """
    held = holders(others)
    found = ((entry.urn, held.get((entry.type, entry.id))) for entry in candidates(state))
    return {urn: name for urn, name in found if name is not None}


def unshared(state: State) -> list[Entry]:
    """Return the entries that a tear-down would delete: this backend has no other holder."""
    left = state.left()
    return [entry for entry in candidates(state) if entry.urn not in left]
