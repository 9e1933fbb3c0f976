"""How long a message rests between two deliveries."""

from emulator.pubsub.checks import seconds_of
from emulator.pubsub.subscriptions import Subscription, endpoint

_AT_ONCE = ("0s", "0s")
_PUSH = ("0.1s", "60s")
_POLICY = ("10s", "600s")
_MOST_DOUBLINGS = 30


def seconds(subscription: Subscription, attempts: int) -> float:
    """The rest before a message is delivered again, doubled with every attempt.

    Without a retry policy a message that is pulled comes again at once, and one that is pushed
    after 0.1 to 60 seconds.

    Args:
        subscription: Its `retryPolicy` tells the shortest and the longest rest.
        attempts: How often the message has been delivered, 1 or more.
    """
    policy = subscription.get("retryPolicy")
    least, most = _POLICY if policy is not None else _PUSH if endpoint(subscription) else _AT_ONCE
    given = policy or {}
    shortest = seconds_of(given.get("minimumBackoff", least))
    longest = seconds_of(given.get("maximumBackoff", most))
    return max(shortest, min(shortest * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS), longest))
