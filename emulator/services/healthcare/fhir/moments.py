"""Dates and times as ranges of microseconds since 1970: `2020` is the whole year.

Inferred (conformance: fhir-search-dates): a date or time without a zone is in UTC.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MIN, MAX = -(2**62), 2**62
"""Bounds of a period that has no start or no end."""

Range = tuple[int, int]


def parse(text: str) -> Range | None:
    """Return the first microsecond of a date or time, and the first one after it.

    Args:
        text: a date, dateTime or instant; the seconds may be missing, as in searches

    Returns:
        Nothing if it is not a date or time
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        return _range(match)
    except (ValueError, OverflowError):
        return None


def _range(match: re.Match[str]) -> Range:
    year, month = int(match["year"]), int(match["month"] or 1)
    first = datetime(year, month, int(match["day"] or 1), tzinfo=_zone(match["zone"]))
    if match["hour"] is None:
        if match["day"]:
            return _number(first), _number(first) + _length(days=1)
        after = (year + 1, 1) if not match["month"] else (year + month // 12, month % 12 + 1)
        if after[0] > datetime.max.year:
            return _number(first), MAX
        return _number(first), _number(datetime(*after, 1, tzinfo=UTC))
    first = first.replace(hour=int(match["hour"]), minute=int(match["minute"]))
    if match["second"] is None:
        return _number(first), _number(first) + _length(minutes=1)
    low = _number(first) + _length(seconds=int(match["second"]))
    if int(match["second"]) > 59:
        raise ValueError(match["second"])
    digits = (match["fraction"] or ".")[1:7]
    low += int(digits.ljust(6, "0"))
    return low, low + 10 ** (6 - len(digits))


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _length(**parts: int) -> int:
    return timedelta(**parts) // _MICROSECOND
