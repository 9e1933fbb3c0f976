"""The settings of consent stores, and when their consents expire.

Documented (the reference of `ConsentStore`, `Consent` and `ActivateConsentRequest`): the shortest
default, and that an expiration of a consent replaces it. Inferred (conformance:
consent-expiration-text): the texts of refusals.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.timestamps import parse_duration, to_rfc3339

Json = Mapping[str, Any]

_SHORTEST_DEFAULT = timedelta(hours=24)


def check_store(store: Json) -> None:
    """Refuse a store whose consents would expire within a day.

    Raises:
        ApiError: 400
    """
    if "defaultConsentTtl" not in store:
        return
    field = "consent_store.default_consent_ttl"
    if _duration(store["defaultConsentTtl"], field) < _SHORTEST_DEFAULT:
        raise invalid_argument(f"{field} must be at least 24 hours: 86400s")


def expiration(given: Json, field: str = "") -> str | None:
    """Return when a consent expires by `ttl` or `expireTime`; None without either.

    Args:
        given: a consent, or a request to activate one
        field: the request's field that has the two; empty for the request itself

    Raises:
        ApiError: 400 for both of them, or for a value that is not valid
    """
    before = f"{field}." if field else ""
    if "ttl" in given and "expireTime" in given:
        raise invalid_argument(f"{before}ttl and {before}expire_time can't both be set")
    if "ttl" in given:
        duration = _duration(given["ttl"], f"{before}ttl")
        if not duration:
            raise invalid_argument(f"{before}ttl must be positive")
        return _after(duration, f"{before}ttl")
    if "expireTime" in given:
        return _instant(given["expireTime"], f"{before}expire_time")
    return None


def default_expiration(store: Json) -> str | None:
    """Return when a consent expires that is created now without an expiration; None for never."""
    if "defaultConsentTtl" not in store:
        return None
    field = "consent_store.default_consent_ttl"
    return _after(_duration(store["defaultConsentTtl"], field), field)


def _after(duration: timedelta, field: str) -> str:
    try:
        return to_rfc3339(datetime.now(UTC) + duration)
    except OverflowError:
        raise _too_long(field) from None


def _duration(text: str, field: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(text))
    except OverflowError:
        raise _too_long(field) from None
    except ValueError:
        raise invalid_argument(
            f"invalid {field} {text[:100]!r}: seconds that end in s, such as 86400s"
        ) from None


def _too_long(field: str) -> Exception:
    return invalid_argument(f"{field} is too long: a time must be before the year 10000")


def _instant(text: str, field: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
        return to_rfc3339(
            (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
        )
    except (ValueError, OverflowError):
        raise invalid_argument(f"invalid {field} {text[:100]!r}: RFC 3339") from None
