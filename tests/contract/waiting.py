"""Waiting for operations."""

import time
from typing import Any

import httpx

from emulator.layout import Running

PATIENCE_SECONDS = 120


def finished(client: httpx.Client, running: Running, begun: httpx.Response) -> dict[str, Any]:
    """Follow an operation, as the call that began it answered it, to its end.

    Raises:
        TimeoutError: it does not end.
    """
    name = begun.raise_for_status().json()["name"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        got: dict[str, Any] = client.get(f"{running.url}/v1/{name}").raise_for_status().json()
        if got.get("done"):
            return got
        time.sleep(0.1)
    raise TimeoutError(name)
