"""DICOM values in the forms that BigQuery's JSON loads take."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from pydicom.valuerep import PersonName

from emulator.healthcare.dicom.bigquery_schema import NAME_GROUPS, NAME_PARTS

_DATE = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?")
_DATETIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_INT64 = range(-(2**63), 2**63)


class NotAValue(ValueError):  # noqa: N818 - reads as what it says where it is caught
    """The text is not of the form that its VR asks for."""


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


def _float(value: Any) -> float | str:
    """Give a number; BigQuery reads the three that JSON lacks from their names."""
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def text(value: Any) -> str:
    """Give text as it stands, without the padding that DICOM allows."""
    return str(value).replace("\0", "")


def _person(value: Any) -> dict[str, dict[str, str]]:
    """Split a name: groups by `=`, parts by `^` (PS3.5 6.2.1)."""
    name = value if isinstance(value, PersonName) else PersonName(str(value))
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    person: dict[str, dict[str, str]] = {}
    for label, group in zip(NAME_GROUPS, groups, strict=True):
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


def convert(value: Any, vr: str, kind: str) -> Any:
    """Give one value of an element.

    Args:
        value: as pydicom gives it.
        vr: the dictionary's VR.
        kind: the column's type.

    Raises:
        ValueError: the value does not fit the VR (dates that are none, numbers too large).
    """
    try:
        return (_BY_VR.get(vr) or _BY_TYPE.get(kind) or text)(value)
    except (TypeError, OverflowError) as error:
        raise NotAValue(str(error)) from error
