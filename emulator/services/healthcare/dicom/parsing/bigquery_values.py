"""DICOM values as BigQuery's JSON loads accept them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from pydicom.tag import BaseTag
from pydicom.valuerep import ISfloat, PersonName

from emulator.services.healthcare.clients.table_schema import RECORD
from emulator.services.healthcare.dicom.parsing.element_values import groups_of, name_of_float
from emulator.services.healthcare.dicom.parsing.value_representations import NAME_GROUPS, NAME_PARTS

_DATE = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?")
_DATETIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_INT64 = range(-(2**63), 2**63)


class NotAValue(ValueError):  # noqa: N818 - reads as what it says where it is caught
    """The text is not valid for its VR."""


def _date(value: Any) -> str:
    match = _DATE.fullmatch(str(value).strip())
    if not match:
        raise NotAValue
    return date(*(int(part) for part in match.groups())).isoformat()


def _time(value: Any) -> str:
    match = _TIME.fullmatch(str(value).strip())
    if not match:
        raise NotAValue
    hour, minute, second, fraction = match.groups()
    micro = int((fraction or "0").ljust(6, "0"))
    return time(int(hour), int(minute or 0), int(second or 0), micro).isoformat()


def _timestamp(value: Any) -> str:
    match = _DATETIME.fullmatch(str(value).strip())
    if not match:
        raise NotAValue
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    zone = UTC
    if offset:
        sign = -1 if offset[0] == "-" else 1
        zone = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:])))
    moment = datetime(
        int(year),
        int(month or 1),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")),
        tzinfo=zone,
    )
    return moment.astimezone(UTC).isoformat()


def _integer(value: Any) -> int:
    number = int(value)
    if number not in _INT64:
        raise NotAValue
    return number


_NON_FINITE = {"NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""BigQuery's names of the numbers that JSON has no form for."""


def _float(value: Any) -> float | str:
    number = float(value)
    name = name_of_float(number)
    return _NON_FINITE[name] if name else number


def text(value: Any) -> str:
    """Return the text of a value; of an empty one, which keeps the place of its own, nothing."""
    if value is None:
        return ""
    if isinstance(value, BaseTag):
        return f"{value:08X}"
    if isinstance(value, ISfloat):  # unlike an IS or a DS, its text is not the file's
        return str(value.original_string)
    name = name_of_float(value) if type(value) is float else None
    return name or str(value).replace("\0", "")


def _person(value: Any) -> dict[str, dict[str, str]]:
    """Return the groups of a name, split at `=`, with their parts, split at `^` (PS3.5 6.2.1)."""
    name = value if isinstance(value, PersonName) else PersonName(str(value))
    person: dict[str, dict[str, str]] = {}
    for label, group in zip(NAME_GROUPS, groups_of(name), strict=True):
        parts = {
            part: text(piece)
            for part, piece in zip(NAME_PARTS, group.split("^"), strict=False)
            if piece
        }
        if parts:
            person[label] = parts
    return person


_BY_VR: dict[str, Callable[[Any], Any]] = {
    "DA": _date,
    "TM": _time,
    "DT": _timestamp,
    "PN": _person,
} | dict.fromkeys(("FL", "FD"), _float)
_BY_TYPE: dict[str, Callable[[Any], Any]] = {"INTEGER": _integer}


def convert(value: Any, vr: str, column_type: str) -> Any:
    """Return one value of an element.

    Args:
        value: as `element_values.values_of` returns it
        vr: the dictionary's VR
        column_type: the column's type

    Raises:
        ValueError: the value does not fit the VR (dates that are none, numbers too large), or is
            empty, and no value of the column's type can keep its place: an array has no NULL
    """
    if value is None and column_type == RECORD:
        return {}
    try:
        return (_BY_VR.get(vr) or _BY_TYPE.get(column_type) or text)(value)
    except (TypeError, OverflowError) as error:
        raise NotAValue(str(error)) from error
