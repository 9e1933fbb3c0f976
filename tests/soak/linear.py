"""Whether what concurrent clients were told of one instance can have happened one after the other.

The search is Wing and Gong's (https://doi.org/10.1006/jpdc.1993.1015): events are put in an order
that keeps to their times, each against the state that the ones before it left. An instance is a
register: absent, or one content. So is a FHIR resource, which clients also write over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The response to a client about an instance."""

    STORED = "stored, or the same is there"
    CONFLICT = "another content is there"
    DELETED = "deleted"
    CLEARED = "its study or series was deleted"
    MISSING = "not there"
    PRESENT = "there"
    READ = "read"
    WRITTEN = "stored, whatever was there"
    SWAPPED = "stored in place of the expected content"
    NOT_SWAPPED = "the expected content is not there"


@dataclass(frozen=True)
class Event:
    """The response to a client, with its start and end.

    Attributes:
        outcome: of the request for the instance.
        content: of the instance, if the response has it.
        began: when it was asked; any clock.
        ended: when it was answered.
        client: who asked.
        expected: the content that a conditional write is for.
    """

    outcome: Outcome
    content: str | None
    began: int
    ended: int
    client: int = 0
    expected: str | None = None


def after(state: str | None, event: Event) -> tuple[bool, str | None]:
    """Whether an event fits a state, and what the state is then."""
    there, same = state is not None, state == event.content
    match event.outcome:
        case Outcome.STORED:
            return same or not there, event.content
        case Outcome.CONFLICT:
            return there and not same, state
        case Outcome.DELETED:
            return there, None
        case Outcome.CLEARED:
            return True, None
        case Outcome.MISSING:
            return not there, state
        case Outcome.PRESENT:
            return there, state
        case Outcome.READ:
            return same and there, state
    return _after_writing_over(state, event)


def _after_writing_over(state: str | None, event: Event) -> tuple[bool, str | None]:
    is_expected = event.outcome is Outcome.WRITTEN or state == event.expected
    if event.outcome is Outcome.NOT_SWAPPED:
        return not is_expected, state
    return is_expected, event.content


def is_linearizable(events: Sequence[Event]) -> bool:
    """Whether there is an order in which every event fits."""
    ordered = sorted(events, key=lambda event: event.began)
    everything = (1 << len(ordered)) - 1
    todo: list[tuple[int, str | None]] = [(0, None)]
    seen = set(todo)
    while todo:
        done, state = _with_looks(ordered, *todo.pop())
        if done == everything:
            return True
        for index in _next(ordered, done):
            fits, then = after(state, ordered[index])
            following = (done | 1 << index, then)
            if fits and following not in seen:
                seen.add(following)
                todo.append(following)
    return False


def _with_looks(events: Sequence[Event], done: int, state: str | None) -> tuple[int, str | None]:
    """Put what only looks and fits first: no later order could be the better for waiting."""
    while True:
        idle = [
            index
            for index in _next(events, done)
            if events[index].outcome in _LOOKS and after(state, events[index])[0]
        ]
        if not idle:
            return done, state
        for index in idle:
            done |= 1 << index


_LOOKS = (
    Outcome.CONFLICT,
    Outcome.MISSING,
    Outcome.NOT_SWAPPED,
    Outcome.PRESENT,
    Outcome.READ,
)
"""What changes nothing, whatever the state."""


def story(name: str, events: Sequence[Event]) -> str:
    """Return the events of a register, line by line."""
    lines = [f"no order explains what was told of {name}:"]
    first = min(event.began for event in events)
    for event in sorted(events, key=lambda event: event.began):
        moments = f"{(event.began - first) / 1e6:9.2f} - {(event.ended - first) / 1e6:9.2f} ms"
        lines.append(
            f"{moments}  client {event.client:2}  {event.outcome.name} {event.content or ''}"
        )
    return "\n".join(lines)


def _next(events: Sequence[Event], done: int) -> list[int]:
    """The events that may come next: none that is left had ended before they began."""
    found: list[int] = []
    first_end: int | None = None
    for index in range(_first_left(done), len(events)):
        if done >> index & 1:
            continue
        event = events[index]
        if first_end is not None and event.began > first_end:
            break
        found.append(index)
        first_end = event.ended if first_end is None else min(first_end, event.ended)
    return [index for index in found if first_end is not None and events[index].began <= first_end]


def _first_left(done: int) -> int:
    return (~done & (done + 1)).bit_length() - 1
