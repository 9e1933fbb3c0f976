"""Delays between attempts."""

from itertools import islice

from emulator.core.backoff import JITTER, delays


def test_delays_grow_to_the_maximum() -> None:
    expected = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    for delay, middle in zip(islice(delays(0.1, 1.0), 6), expected, strict=True):
        assert middle * (1 - JITTER) <= delay <= middle * (1 + JITTER)


def test_delays_differ_between_clients() -> None:
    assert len({next(delays(1.0, 1.0)) for _ in range(20)}) > 1


def test_the_multiplier_sets_the_growth() -> None:
    tenth = list(islice(delays(0.02, 0.5, multiplier=1.3), 10))[-1]
    assert 0.02 * 1.3**9 * (1 - JITTER) <= tenth <= 0.02 * 1.3**9 * (1 + JITTER)
