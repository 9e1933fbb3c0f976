"""Waiting until something holds: no test sleeps for a time that it guesses."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from emulator.server.server_file import ServerInfo

T = TypeVar("T")
PATIENCE_SECONDS = 120.0
"""Far more than anything takes, also on a machine that is busy with other things."""
POLL_SECONDS = 0.01


def wait_until(look: Callable[[], T], complaint: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first true value that `look` returns.

    Raises:
        TimeoutError: There is none in time; the message is the complaint.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(POLL_SECONDS)
    return found


def finished(client: httpx.Client, running: ServerInfo, begun: httpx.Response) -> dict[str, Any]:
    """Follow an operation to its end, from the answer to the call that started it.

    Raises:
        TimeoutError: It does not end.
    """
    name = begun.raise_for_status().json()["name"]

    def look() -> dict[str, Any]:
        got: dict[str, Any] = client.get(f"{running.url}/v1/{name}").raise_for_status().json()
        return got if got.get("done") else {}

    return wait_until(look, f"{name} does not end")
