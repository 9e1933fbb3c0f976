"""Periods of dates that are less precise than an instant."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def parse(text: str) -> tuple[datetime, datetime] | None:
    """Return the start and the end of a date such as `2019-01`; None for other text.

    The end is the first moment that follows. Times without an offset are those of UTC.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, clock, offset = match.groups()
    try:
        start = datetime.fromisoformat(
            f"{year}-{month or '01'}-{day or '01'}T{clock or '00:00'}{offset or '+00:00'}"
        ).astimezone(UTC)
        return start, _end(start, month, day, clock)
    except (ValueError, OverflowError):
        return None


def _end(start: datetime, month: str | None, day: str | None, clock: str | None) -> datetime:
    if month is None:
        return start.replace(year=start.year + 1)
    if day is None:
        return (start + timedelta(days=31)).replace(day=1)
    if clock is None:
        return start + timedelta(days=1)
    if len(clock) == len("00:00"):
        return start + timedelta(minutes=1)
    return start + (timedelta(microseconds=1) if "." in clock else timedelta(seconds=1))
