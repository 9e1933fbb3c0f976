"""Processes of an emulator beside its own: the backends, and the containers."""

from collections.abc import Sequence
from pathlib import Path

import psutil

from emulator.core.processes import records
from emulator.services.containers.pids import FILE as CONTAINERS

_FILE = "children.json"


def record_children(state: Path, pids: Sequence[int]) -> None:
    """Write down the processes of the backends, so that they are found if the server is killed."""
    records.record(state / _FILE, pids)


def running_children(state: Path) -> list[psutil.Process]:
    """Return those of the recorded processes that still run, of backends and of containers."""
    return [*records.running(state / _FILE), *records.running(state / CONTAINERS)]
