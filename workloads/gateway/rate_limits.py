"""Limits of the requests of each caller: a bucket of tokens for each, filled at a constant rate."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000
"""Remembered at the same time; the one that was idle longest is forgotten first."""


class RateLimits:
    """Counts the requests of callers.

    Args:
        per_minute: of each caller in the long run; a full bucket holds as many
        clock: in seconds
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Count a request, unless its caller has to wait.

        Returns:
            Seconds until the caller may send the next one; 0 if the request was counted.
        """
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - seen) * self._per_second)
        wait = 0 if tokens >= 1 else math.ceil((1 - tokens) / self._per_second)
        self._buckets[caller] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return wait
