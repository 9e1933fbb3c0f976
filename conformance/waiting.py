"""Waiting for results that are eventually consistent."""

import time
from collections.abc import Callable
from typing import TypeVar

INITIAL_SECONDS, MAX_SECONDS, GROWTH = 0.05, 5.0, 1.5

T = TypeVar("T")


def poll(look: Callable[[], T | None], max_seconds: float) -> T | None:
    """Return the first result that is true; None after the longest wait."""
    ends = time.monotonic() + max_seconds
    pause = INITIAL_SECONDS
    while not (found := look()):
        if time.monotonic() + pause > ends:
            return None
        time.sleep(pause)
        pause = min(GROWTH * pause, MAX_SECONDS)
    return found


def wait_until(look: Callable[[], T | None], max_seconds: float, awaited: str) -> T:
    """Return the first result that is true.

    Raises:
        TimeoutError: there is none after the longest wait
    """
    found = poll(look, max_seconds)
    if found is None:
        raise TimeoutError(f"{awaited} was not ready after {max_seconds:.0f} s.")
    return found
