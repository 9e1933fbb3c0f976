"""The values of an element, one by one: the same for DICOM JSON, XML and BigQuery.

What is between two backslashes is a value, even if it is empty: a dropped one would move those
behind it (PS3.5 6.4).
"""

import math
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName

PADDING = "\0 "


def values_of(element: DataElement) -> list[Any]:
    """Return an element's values, None for an empty one among others; nothing if it is empty."""
    value = element.value
    if isinstance(value, MultiValue | list | tuple):
        return [_value(one) for one in value]
    single = _value(value)
    return [] if single is None else [single]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value.rstrip(PADDING) or None
    if isinstance(value, PersonName):
        return value if any(group.strip(PADDING) for group in groups_of(value)) else None
    return None if value == b"" else value


def groups_of(name: PersonName) -> tuple[str, str, str]:
    """Return the component groups of a person's name (PS3.5 6.2.1)."""
    return name.alphabetic, name.ideographic, name.phonetic


def name_of_float(value: float) -> str | None:
    """Return the name of a number that JSON has no form for (PS3.18 F.2.3.1), else None."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
