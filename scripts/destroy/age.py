"""Age of a stack since its last update, for `--older-than`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib.errors import UsageError

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# Updates that create or change resources; a refresh or a destroy does not use the stack.
_UPDATES = frozenset({"update", "resource-import"})


def parse_duration(text: str) -> timedelta:
    """Read `45s`, `30m`, `8h` or `2d`.

    Raises:
        UsageError: it is none of these, or zero
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(
            f"{text!r} is not a valid duration.",
            "Write a whole number and a unit: 45s, 30m, 8h or 2d.",
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def last_update(history: Iterable[dict[str, Any]]) -> datetime | None:
    """Return the end of the last update in a stack's history, failed updates included.

    Args:
        history: as `pulumi stack history --json` prints it
    """
    ends = (e.get("endTime") or e["startTime"] for e in history if e["kind"] in _UPDATES)
    return max(map(datetime.fromisoformat, ends), default=None)


def too_young(last: datetime, limit: timedelta, now: datetime | None = None) -> str:
    """Return why a stack is too young; empty if it is old enough.

    Args:
        last: time of its last change
        limit: the minimum age
        now: the current time; None for the clock's
    """
    age = (now or datetime.now(UTC)) - last
    if age >= limit:
        return ""
    when = last.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    ago = format_duration(max(age, timedelta()))
    return f"it was last updated {ago} ago ({when}), not {format_duration(limit)}"


def format_duration(length: timedelta) -> str:
    """Write a duration for people, by its two largest units."""
    left = int(length.total_seconds())
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
