"""The judge of the concurrency tests must itself be able to say no."""

import pytest

from tests.soak.linear import Event, Told, is_linearizable


def event(told: Told, began: int, ended: int, content: str | None = None) -> Event:
    return Event(told, content, began, ended)


def stored(began: int, ended: int, content: str = "a") -> Event:
    return event(Told.STORED, began, ended, content)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [stored(0, 1), stored(2, 3)],
        [stored(0, 9), event(Told.CONFLICT, 0, 9, "b"), event(Told.DELETED, 0, 9)],
        [event(Told.READ, 5, 9, "a"), stored(0, 6), event(Told.MISSING, 1, 5)],
        [stored(0, 9, "a"), stored(0, 9, "b"), event(Told.DELETED, 0, 9)],
        [stored(0, 1), event(Told.CLEARED, 0, 9), event(Told.MISSING, 3, 4)],
        [stored(0, 9), stored(0, 9), event(Told.DELETED, 0, 9), event(Told.READ, 8, 9, "a")],
    ],
)
def test_what_can_have_happened(events: list[Event]) -> None:
    assert is_linearizable(events)


@pytest.mark.parametrize(
    "events",
    [
        [event(Told.DELETED, 0, 1)],
        [stored(0, 9), event(Told.DELETED, 0, 9), event(Told.DELETED, 0, 9)],
        [stored(0, 1, "a"), stored(2, 3, "b")],
        [stored(0, 1), event(Told.MISSING, 2, 3)],
        [stored(0, 1), event(Told.DELETED, 2, 3), event(Told.READ, 4, 5, "a")],
        [stored(0, 1, "a"), event(Told.READ, 0, 9, "b")],
        [event(Told.CONFLICT, 0, 9, "b")],
        [stored(0, 1), event(Told.CONFLICT, 2, 3, "a")],
    ],
)
def test_what_can_not(events: list[Event]) -> None:
    assert not is_linearizable(events)
