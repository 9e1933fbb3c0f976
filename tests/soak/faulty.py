"""The faults of the matrices, and how a call is made to meet one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.support import http

T = TypeVar("T")
MESSAGE = "injected fault"
LATE_SECONDS = 0.3


@dataclass(frozen=True)
class Fault:
    """A way for a call to go wrong.

    Attributes:
        name: of the column.
        body: what `/_emulator/faults` is told.
        passing: Google says to try again.
        broken: how many calls it breaks before its end; 0 for as many as are made.
        seconds: how much later an end is for it.
    """

    name: str
    body: dict[str, Any]
    passing: bool = True
    broken: int = 1
    seconds: float = 0.0

    @property
    def message(self) -> str:
        """Its message."""
        return str(self.body.get("message", MESSAGE))


# What is passing: https://cloud.google.com/healthcare-api/docs/best-practices-latency-error-handling
FAULTS = (
    Fault("429", {"status": 429, "times": 2}, broken=2),
    Fault("429 with Retry-After", {"status": 429, "retry_after": 1, "times": 1}, seconds=1.0),
    Fault("503", {"status": 503, "times": 2}, broken=2),
    Fault("500", {"status": 500, "times": 2}, broken=2),
    Fault("503 once in 2", {"status": 503, "every": 2}, broken=0),
    Fault("403", {"status": 403}, passing=False),
    Fault("404", {"status": 404}, passing=False),
    Fault(
        "404 not initialized",
        {"status": 404, "times": 2, "message": "dataset not initialized"},
        broken=2,
    ),
    Fault("late", {"delay": LATE_SECONDS, "times": 1}, seconds=LATE_SECONDS),
    Fault("cut off", {"cut": 10, "times": 1}),
)


def met(url: str, method: str, body: dict[str, Any], act: Callable[[], T]) -> tuple[T, int]:
    """Act while calls of a method meet a fault.

    Args:
        url: the emulator's root.
        method: of a discovery document.
        body: the fault.
        act: makes the calls.

    Returns:
        What the act gave, and how many calls were broken.
    """
    faults = f"{url}/_emulator/faults"
    http.post(faults, json={"method": method, **body}).raise_for_status()
    try:
        given = act()
        [listed] = http.get(faults).raise_for_status().json()["faults"]
    finally:
        http.delete(faults).raise_for_status()
    return given, int(listed["broken"])
