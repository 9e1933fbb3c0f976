"""The rate of the requests of one worker: slower after a 429 or 503, and back again in steps."""

import time
from collections.abc import Callable

SLOWER, FASTER = 0.5, 1.05
MIN_RATE = 0.1
TOO_MANY = frozenset({429, 503})
"""Status codes of a service that wants fewer requests."""


class Throttle:
    """Spaces requests evenly.

    Args:
        rate: requests a second at most; 0 for no limit before the first refusal
        clock: seconds
        sleep: waits some seconds
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = rate
        self._rate = rate
        self._clock, self._sleep = clock, sleep
        self._next = self._began = clock()
        self._requests = 0

    @property
    def rate(self) -> float:
        """Requests a second at present; 0 for no limit."""
        return self._rate

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        self._requests += 1
        if not self._rate:
            return
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(self._next, now) + 1 / self._rate

    def refused(self) -> None:
        """Halve the rate: the service has answered 429 or 503."""
        if not self._rate:
            seconds = max(self._clock() - self._began, 1.0)
            self._rate = self._requests / seconds
        self._rate = max(self._rate * SLOWER, MIN_RATE)

    def accepted(self) -> None:
        """Come nearer to the limit again after a request that succeeded."""
        if self._rate and (not self._limit or self._rate < self._limit):
            self._rate = self._rate * FASTER
            if self._limit:
                self._rate = min(self._rate, self._limit)
