"""Redelivery delay of a subscription's retry policy."""

from emulator.core.timestamps import parse_duration
from emulator.services.pubsub.subscriptions import Subscription, endpoint

_IMMEDIATE = ("0s", "0s")
_PUSH = ("0.1s", "60s")
_POLICY = ("10s", "600s")
_MAX_DOUBLINGS = 30


def seconds(subscription: Subscription, attempts: int) -> float:
    """Return the seconds before a message is redelivered: doubled with every attempt.

    Without a retry policy, a pulled message is redelivered now, and a pushed one after 0.1 to
    60 seconds.

    Args:
        subscription: Its `retryPolicy` has the minimum and the maximum backoff.
        attempts: The number of deliveries so far, 1 or more.
    """
    policy = subscription.get("retryPolicy")
    defaults = _POLICY if policy is not None else _PUSH if endpoint(subscription) else _IMMEDIATE
    given = policy or {}
    minimum = parse_duration(given.get("minimumBackoff", defaults[0]))
    maximum = parse_duration(given.get("maximumBackoff", defaults[1]))
    return max(minimum, min(minimum * 2.0 ** min(attempts - 1, _MAX_DOUBLINGS), maximum))
