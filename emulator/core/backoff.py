"""Delays between attempts: exponential backoff with jitter."""

import random
from collections.abc import Iterator

JITTER = 0.5
"""The largest part of a delay that is added or left out."""


def delays(initial: float, maximum: float, *, multiplier: float = 2.0) -> Iterator[float]:
    """Yield delays in seconds without end, each longer than the one before until `maximum`.

    Jitter keeps clients that failed together from trying again together.

    Args:
        initial: the first delay, before jitter
        maximum: the longest delay, before jitter
        multiplier: by which delays grow
    """
    delay = min(initial, maximum)
    while True:
        yield delay * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, not a secret
        delay = min(delay * multiplier, maximum)
