"""The rate of requests: even, slower after refusals, and back again."""

import pytest

from pipelines.common.throttle import MIN_RATE, Throttle


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def make(rate: float) -> tuple[Throttle, Time]:
    time = Time()
    return Throttle(rate, time.clock, time.sleep), time


def test_requests_are_spaced() -> None:
    throttle, time = make(4.0)
    for _ in range(9):
        throttle.wait()
    assert time.now == pytest.approx(102.0)


def test_without_a_rate_nothing_waits() -> None:
    throttle, time = make(0.0)
    for _ in range(100):
        throttle.wait()
        throttle.accepted()
    assert time.now == 100.0


def test_a_refusal_halves_the_rate_and_successes_restore_it() -> None:
    throttle, _ = make(8.0)
    throttle.refused()
    assert throttle.rate == 4.0
    for _ in range(100):
        throttle.accepted()
    assert throttle.rate == 8.0


def test_a_refusal_without_a_limit_starts_from_the_rate_so_far() -> None:
    throttle, time = make(0.0)
    for _ in range(100):
        throttle.wait()
    time.now += 10
    throttle.refused()
    assert throttle.rate == 5.0


def test_the_rate_never_becomes_zero() -> None:
    throttle, _ = make(1.0)
    for _ in range(50):
        throttle.refused()
    assert throttle.rate == MIN_RATE
