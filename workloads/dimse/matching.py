"""Matching of C-FIND keys that the store can't search for (PS3.4 C.2.2.2)."""

import re
from collections.abc import Iterable
from typing import Any

from pydicom.dataelem import DataElement

from workloads.dimse.dicomweb import Result

_RANGES = {"DA", "TM", "DT"}
_WILDCARDS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
_NUMBERS = {"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}


def values_of(element: DataElement) -> list[str]:
    """Return the values of a key as text; none if it matches everything."""
    if element.is_empty:
        return []
    values = element.value if element.VM > 1 else [element.value]
    return [text for text in map(str, values) if text]


def has_wildcard(element: DataElement) -> bool:
    """Whether a key has a wildcard that means something in its value representation."""
    return element.VR in _WILDCARDS and any(re.search(r"[*?]", one) for one in values_of(element))


def is_range(element: DataElement) -> bool:
    """Whether a key is a range of dates or times."""
    return element.VR in _RANGES and any("-" in one for one in values_of(element))


def matches(element: DataElement, result: Result) -> bool:
    """Whether a result has one of the values of a key.

    Args:
        element: the key
        result: in the DICOM JSON model
    """
    wanted = values_of(element)
    if not wanted or wanted == ["*"]:
        return True
    found = list(_texts(result.get(f"{element.tag:08X}", {}).get("Value", [])))
    return any(_matches(element.VR, one, value) for one in wanted for value in found)


def _texts(values: Iterable[Any]) -> Iterable[str]:
    """Yield the values as text: of a name, each of its groups."""
    for value in values:
        if isinstance(value, dict):
            yield from (str(group) for group in value.values())
        elif value is not None:
            yield str(value)


def _matches(vr: str, wanted: str, found: str) -> bool:
    if vr in _RANGES and "-" in wanted:
        first, _, last = wanted.partition("-")
        return _padded(first, "0") <= _padded(found, "0") and (
            not last or _padded(found, "0") <= _padded(last, "9")
        )
    if vr in _NUMBERS:
        return _number(wanted) == _number(found)
    if vr == "PN":
        wanted, found = wanted.casefold().rstrip("^ "), found.casefold().rstrip("^ ")
    if vr in _WILDCARDS:
        pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, found, re.DOTALL) is not None
    return wanted == found


def _padded(text: str, filler: str) -> str:
    """Return a date or time of full length, so that text compares as time does."""
    return text.replace(".", "").ljust(20, filler)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
