"""Views of messages: the parts of the resource that a response holds.

The enumeration `MessageView` of the API's reference.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.json_bytes import encode_bytes

_LARGE = {"data": "data", "parsedData": "parsed", "schematizedData": "schematized"}
"""Field of the resource -> column."""
_ATTRIBUTES = "id, labels, attributes, created"


@dataclass(frozen=True)
class View:
    """A view.

    Attributes:
        fields: the large fields that it holds
        is_basic: whether it holds the name alone
    """

    fields: frozenset[str] = frozenset()
    is_basic: bool = False

    @property
    def columns(self) -> str:
        """The columns that the view and a filter need."""
        return ", ".join([_ATTRIBUTES, *(_LARGE[field] for field in sorted(self.fields))])

    def represent(self, store: str, row: Row) -> dict[str, Any]:
        """Return a message of a store as the view shows it."""
        if self.is_basic:
            return {"name": f"{store}/messages/{row['id']}"}
        message = attributes_of(store, row)
        if "data" in self.fields:
            message["data"] = encode_bytes(row["data"])
        for field in self.fields - {"data"}:
            if value := json.loads(row[_LARGE[field]]):
                message[field] = value
        return message


FULL = View(frozenset(_LARGE))
BASIC = View(is_basic=True)
_UNSPECIFIED = "MESSAGE_VIEW_UNSPECIFIED"
_VIEWS = {
    "RAW_ONLY": View(frozenset({"data"})),
    "PARSED_ONLY": View(frozenset({"parsedData"})),
    "FULL": FULL,
    "SCHEMATIZED_ONLY": View(frozenset({"schematizedData"})),
    "BASIC": BASIC,
}


def view_of(query: Mapping[str, str], default: View) -> View:
    """Return the view that a request names.

    Raises:
        ApiError: 400 for a name that is not a view's
    """
    return named(query.get("view", ""), default)


def named(name: str, default: View) -> View:
    """Return a view by its name; raises as `view_of`."""
    if not name or name == _UNSPECIFIED:
        return default
    if name not in _VIEWS:
        raise invalid_argument(f"Invalid value at 'view': {name!r} is not one of {[*_VIEWS]}")
    return _VIEWS[name]


def attributes_of(store: str, row: Row) -> dict[str, Any]:
    """Return the fields of a message that filters use."""
    message: dict[str, Any] = {
        "name": f"{store}/messages/{row['id']}",
        "createTime": row["created"],
        **json.loads(row["attributes"]),
    }
    if labels := json.loads(row["labels"]):
        message["labels"] = labels
    return message
