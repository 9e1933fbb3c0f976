"""Timestamps and durations in the JSON of Protocol Buffers.

https://protobuf.dev/programming-guides/json/
"""

import re
from datetime import UTC, datetime

_DURATION = re.compile(r"[0-9]+(?:\.[0-9]{1,9})?s")


def now(timespec: str = "microseconds") -> str:
    """Return the current time in UTC, such as `2026-01-31T12:00:00.000000Z`."""
    return to_rfc3339(datetime.now(UTC), timespec)


def to_rfc3339(moment: datetime, timespec: str = "microseconds") -> str:
    """Return a time in UTC as RFC 3339 text.

    Args:
        moment: a time in UTC
        timespec: the precision, as in `datetime.isoformat`
    """
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `1.5s`.

    Not `Duration.FromJsonString` of the package protobuf, which takes `1_0s`, spaces and digits of
    other scripts, and would be a dependency of the emulator for this alone.

    Raises:
        ValueError: the text is not a valid duration, or the duration is negative
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid duration")
    return float(text[:-1])
