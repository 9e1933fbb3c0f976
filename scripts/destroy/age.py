"""How long a stack has been left alone, for tear-downs that wait for it to be old enough."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.common.errors import UsageError

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# What makes or changes resources; a refresh or a destroy is no sign that somebody needs the stack.
_UPDATES = frozenset({"update", "resource-import"})


def duration(text: str) -> timedelta:
    """Read `45s`, `30m`, `8h` or `2d`.

    Raises:
        UsageError: it is none of these, or nothing at all is meant by it.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(
            f"{text!r} is not a duration.", "Write a whole number and a unit: 45s, 30m, 8h or 2d."
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def last_update(history: Iterable[dict[str, Any]]) -> datetime | None:
    """Find the end of the last update that a stack's history knows of, failed ones too.

    Args:
        history: as `pulumi stack history --json` gives it.
    """
    ends = (e.get("endTime") or e["startTime"] for e in history if e["kind"] in _UPDATES)
    return max(map(datetime.fromisoformat, ends), default=None)


def too_young(last: datetime, limit: timedelta, now: datetime | None = None) -> str:
    """Say why a stack is not old enough yet; nothing if it is.

    Args:
        last: when it was last changed.
        limit: how long ago that has to be.
        now: the time, where it is not the clock's.
    """
    age = (now or datetime.now(UTC)) - last
    if age >= limit:
        return ""
    when = last.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"it was last updated {spoken(max(age, timedelta()))} ago ({when}), not {spoken(limit)}"


def spoken(length: timedelta) -> str:
    """Write a duration for people, by its two largest units."""
    left = int(length.total_seconds())
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
