"""Versions of resources, and the instants of their changes.

Documented (https://cloud.google.com/healthcare-api/docs/fhir-pubsub, a sample answer): the id of a
version is base64url, without padding, of a decimal number of nanoseconds, that of
`meta.lastUpdated`, which has microseconds and the offset `+00:00`.
"""

import base64
import binascii
import re
import time
from datetime import UTC, datetime, timedelta

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1000
MAX_VERSION = 2**63 - 1


def next_version(previous: int = 0) -> int:
    """Return the version of a change that happens now: nanoseconds since 1970.

    Args:
        previous: the version before; a clock that is set back does not reorder versions
    """
    now = time.time_ns() // _NANOSECONDS * _NANOSECONDS
    return max(now, previous + _NANOSECONDS)


def version_id(version: int) -> str:
    """Return the id of a version, as `meta.versionId` has it."""
    return base64.urlsafe_b64encode(str(version).encode()).decode().rstrip("=")


def parse_version_id(text: str) -> int | None:
    """Return the version of an id; None for a text that is not an id."""
    try:
        digits = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    if not digits.isdigit() or len(digits) > 19 or version_id(int(digits)) != text:
        return None
    return min(int(digits), MAX_VERSION)


def moment(version: int) -> datetime:
    """Return the time of a version."""
    return _EPOCH + timedelta(microseconds=version // _NANOSECONDS)


def last_updated(version: int) -> str:
    """Return the time of a version, as `meta.lastUpdated` has it."""
    return moment(version).isoformat(timespec="microseconds")


def version_of(instant: datetime) -> int:
    """Return the version of a change at a time."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * _NANOSECONDS


def parse_instant(text: str) -> datetime | None:
    """Return the time of an instant, which names the second and the offset; None for other text."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
