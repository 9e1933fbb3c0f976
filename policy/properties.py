"""Reading properties of which any may be absent, unknown, or of an odd shape."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy.model import UNKNOWN, Resource

_FREE_TEXT = frozenset(
    {"annotations", "description", "displayName", "friendlyName", "labels", "title"}
)
"""Properties whose words mean nothing to Google Cloud."""
_POLICY_DATA = "policyData"
"""The property in which IAM policies are written, as a JSON text."""


def look(props: Mapping[str, Any], *path: str) -> Any:
    """Return the value at a path of keys.

    Returns:
        None where it is absent, UNKNOWN where it, or something that holds it, is unknown.
    """
    value: Any = props
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def present(value: object) -> bool:
    """Whether a value is given; an unknown one is, it only has to be waited for."""
    return value is UNKNOWN or value not in (None, "", [], {})


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All known texts inside a value, free text left out, the JSON of IAM policies taken apart.

    Yields:
        Where the text stands, such as `access[0].iamMember`, and the text.
    """
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _FREE_TEXT and not key.startswith("__"):
                inner = _parsed(item) if key == _POLICY_DATA else item
                yield from texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}[{index}]")


def _parsed(policy: Any) -> Any:
    try:
        return json.loads(policy) if isinstance(policy, str) else policy
    except ValueError:
        return policy  # The provider refuses it, with a better message.


def labels(resource: Resource) -> Any:
    """Return the labels of a resource, those that its provider adds to all included.

    Returns:
        A dict, whose values may be UNKNOWN, or UNKNOWN.
    """
    everyones = look(resource.provider, "defaultLabels")
    if isinstance(everyones, str):  # Providers keep structured configuration as JSON.
        everyones = _parsed(everyones)
    own = look(resource.props, "labels")
    if UNKNOWN in (own, everyones):
        return UNKNOWN
    together: dict[str, Any] = {}
    for some in (everyones, own):
        together.update(some if isinstance(some, Mapping) else {})
    return together
