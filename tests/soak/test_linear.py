"""The judge of the concurrency tests must itself be able to say no."""

import pytest

from tests.soak.linear import Event, Outcome, is_linearizable


def event(outcome: Outcome, began: int, ended: int, content: str | None = None) -> Event:
    return Event(outcome, content, began, ended)


def swapped(began: int, ended: int, content: str, expected: str) -> Event:
    return Event(Outcome.SWAPPED, content, began, ended, expected=expected)


def stored(began: int, ended: int, content: str = "a") -> Event:
    return event(Outcome.STORED, began, ended, content)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [stored(0, 1), stored(2, 3)],
        [stored(0, 9), event(Outcome.CONFLICT, 0, 9, "b"), event(Outcome.DELETED, 0, 9)],
        [event(Outcome.READ, 5, 9, "a"), stored(0, 6), event(Outcome.MISSING, 1, 5)],
        [stored(0, 9, "a"), stored(0, 9, "b"), event(Outcome.DELETED, 0, 9)],
        [stored(0, 1), event(Outcome.CLEARED, 0, 9), event(Outcome.MISSING, 3, 4)],
        [stored(0, 9), stored(0, 9), event(Outcome.DELETED, 0, 9), event(Outcome.READ, 8, 9, "a")],
        [event(Outcome.WRITTEN, 0, 1, "a"), event(Outcome.WRITTEN, 2, 3, "b")],
        [event(Outcome.WRITTEN, 0, 1, "a"), swapped(2, 3, "b", "a")],
        [
            event(Outcome.WRITTEN, 0, 1, "a"),
            swapped(2, 9, "b", "a"),
            Event(Outcome.NOT_SWAPPED, None, 2, 9, expected="a"),
        ],
    ],
)
def test_what_can_have_happened(events: list[Event]) -> None:
    assert is_linearizable(events)


@pytest.mark.parametrize(
    "events",
    [
        [event(Outcome.DELETED, 0, 1)],
        [stored(0, 9), event(Outcome.DELETED, 0, 9), event(Outcome.DELETED, 0, 9)],
        [stored(0, 1, "a"), stored(2, 3, "b")],
        [stored(0, 1), event(Outcome.MISSING, 2, 3)],
        [stored(0, 1), event(Outcome.DELETED, 2, 3), event(Outcome.READ, 4, 5, "a")],
        [stored(0, 1, "a"), event(Outcome.READ, 0, 9, "b")],
        [event(Outcome.CONFLICT, 0, 9, "b")],
        [stored(0, 1), event(Outcome.CONFLICT, 2, 3, "a")],
        [event(Outcome.WRITTEN, 0, 1, "a"), swapped(2, 9, "b", "a"), swapped(2, 9, "c", "a")],
        [event(Outcome.WRITTEN, 0, 1, "a"), Event(Outcome.NOT_SWAPPED, None, 2, 3, expected="a")],
    ],
)
def test_what_can_not(events: list[Event]) -> None:
    assert not is_linearizable(events)
