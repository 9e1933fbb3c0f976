"""The values that searches match an instance by: each of an element, and each group of a name.

The index has a column for the first value. The others, which few instances have, are listed beside.

Inferred (conformance: search-name-case, search-name-groups): how names are compared.
"""

import re
from collections.abc import Iterator
from typing import Any

from emulator.core.conditions import fold
from emulator.services.healthcare.dicom.parsing.attributes import (
    MATCH_KEYS,
    DicomJson,
    Level,
    first,
)
from emulator.services.healthcare.dicom.parsing.value_representations import NAME_GROUPS

NAMES = frozenset({"patient_name", "referring_physician"})
UIDS = frozenset({"study", "series", "sop"})
"""Columns whose elements have one value, which is checked when the instance is stored."""
_KEYS = [
    (tag, column) for level in Level for _, tag, column in MATCH_KEYS[level] if column not in UIDS
]
_SPACES = re.compile(r" *([\^=]) *")
_EMPTY_PARTS = re.compile(r"\^+(?==|$)")

Values = dict[str, tuple[str, ...]]
"""Column -> values."""


def fold_name(name: str) -> str:
    """Return a name as it is compared: without case, padding and empty parts at a group's end."""
    folded = fold(name)
    if " " in folded:
        folded = _SPACES.sub(r"\1", folded).strip()
    return _EMPTY_PARTS.sub("", folded) if "^" in folded else folded


def fold_value(column: str, value: str) -> str:
    """Return a value of a column as it is compared."""
    return fold_name(value) if column in NAMES else value.strip()


def first_value(model: DicomJson, tag: str) -> str:
    """Return an element's first value without padding; of a name, the alphabetic group."""
    return first(model, tag).strip()


def other_values(model: DicomJson) -> Values:
    """Return what an instance is found by besides the columns of its index, names folded."""
    found: Values = {}
    for tag, column in _KEYS:
        values = model.get(tag, {}).get("Value", ())
        if len(values) > 1 or (column in NAMES and values and _is_more(values[0])):
            known = fold_value(column, first(model, tag))
            others = {fold_value(column, one) for one in _texts(values)} - {known, ""}
            if others:
                found[column] = tuple(sorted(others))
    return found


def _is_more(name: Any) -> bool:
    """Whether a name has more than the alphabetic group."""
    return name is not None and tuple(name) != NAME_GROUPS[:1]


def _texts(values: list[Any]) -> Iterator[str]:
    """Yield each value, each group of a name, and names whole."""
    for value in values:
        if isinstance(value, dict):
            yield from value.values()
            yield "=".join(value.get(group, "") for group in NAME_GROUPS).rstrip("=")
        elif value is not None:
            yield str(value)
