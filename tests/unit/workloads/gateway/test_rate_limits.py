"""How many requests a caller may send."""

from workloads.gateway import rate_limits
from workloads.gateway.rate_limits import RateLimits


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_waits_once_the_bucket_is_empty_and_no_other_does() -> None:
    clock = Clock()
    rates = RateLimits(60, clock)
    assert [rates.wait("ana") for _ in range(61)] == [0] * 60 + [1]
    assert rates.wait("bo") == 0
    clock.now += 0.5
    assert rates.wait("ana") == 1
    clock.now += 0.5
    assert rates.wait("ana") == 0
    assert rates.wait("ana") == 1
    clock.now += 3_600
    assert [rates.wait("ana") for _ in range(61)][-1] == 1


def test_a_slow_rate_says_how_long_to_wait() -> None:
    rates = RateLimits(1, Clock())
    assert (rates.wait("ana"), rates.wait("ana")) == (0, 60)


def test_callers_are_forgotten_when_there_are_too_many() -> None:
    rates = RateLimits(1, Clock())
    rates.wait("first")
    for number in range(rate_limits.MAX_CALLERS):
        rates.wait(str(number))
    assert rates.wait("first") == 0
