"""A PATCH of a resource, for the services whose bodies say all that there is to change."""

from collections.abc import Mapping
from typing import Any


def merge_patch(present: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource after a merge patch: null removes a field (RFC 7396)."""
    result = dict(present)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merge_patch(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = value
    return result
