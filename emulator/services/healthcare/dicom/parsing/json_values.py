"""DICOM values as the DICOM JSON model has them (PS3.18 F.2.3).

Inferred (conformance: json-decimal-text, json-decimal-nan, json-integer-text, json-float-nan,
json-empty-component, json-empty-text, json-name-groups, json-date-time): values that are not as
their VR asks, beyond the standard.
"""

import re
from collections.abc import Callable
from typing import Any

from pydicom.valuerep import PersonName

from emulator.services.healthcare.dicom.parsing.element_values import (
    PADDING,
    groups_of,
    name_of_float,
)
from emulator.services.healthcare.dicom.parsing.value_representations import NAME_GROUPS

_EXACT = 2**53
"""Integers below this are the same as a float."""
_INTEGER = re.compile(r" *[+-]?[0-9]{1,12} *")


def convert(value: Any, vr: str) -> Any:
    """Return one value of an element as JSON.

    Args:
        value: as `element_values.values_of` returns it: None for an empty one (PS3.18 F.2.5)
        vr: the element's VR, none of the binary ones

    Raises:
        ValueError: a value of a binary number that pydicom could not read
    """
    return None if value is None else _BY_VR.get(vr, str)(value)


def _decimal(value: Any) -> float | int | str:
    """Return a number, or the file's text where that is none (PS3.18 table F.2.3-1)."""
    try:
        number = float(value)
    except ValueError:
        return str(value)
    if name_of_float(number):
        return str(value).strip()
    # As recorded responses of the service have them: 2048, not 2048.0.
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _integer_string(value: Any) -> int | float | str:
    if isinstance(value, str):  # beside another that is not a number, pydicom leaves all as texts
        return int(value) if _INTEGER.fullmatch(value) else value
    return int(value) if value == int(value) else float(value)


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("not an integer")
    return int(value)


def _float(value: Any) -> float | str:
    if not isinstance(value, int | float):
        raise ValueError("not a number")
    return name_of_float(value) or float(value)


def _person(value: Any) -> dict[str, str]:
    name = value if isinstance(value, PersonName) else PersonName(str(value))
    groups = zip(NAME_GROUPS, groups_of(name), strict=True)
    return {label: group for label, group in groups if group.strip(PADDING)}


def _tag(value: Any) -> str:
    return f"{_integer(value):08X}"


_BY_VR: dict[str, Callable[[Any], Any]] = {
    "AT": _tag,
    "DS": _decimal,
    "IS": _integer_string,
    "PN": _person,
    **dict.fromkeys(("FD", "FL"), _float),
    **dict.fromkeys(("SL", "SS", "SV", "UL", "US", "UV", "US or SS"), _integer),
}
