"""Processes of an emulator: the server, found by its pid, and the backends that it started."""

import json
from collections.abc import Sequence
from pathlib import Path

import psutil

from emulator.server.server_file import write_json

_FILE = "children.json"


def record_children(state: Path, pids: Sequence[int]) -> None:
    """Write down the processes of the backends, so that they are found if the server is killed."""
    found = [(pid, _start_time(pid)) for pid in pids]
    write_json(state / _FILE, [one for one in found if one[1] is not None])


def running_children(state: Path) -> list[psutil.Process]:
    """Return those of the recorded processes that still run."""
    try:
        recorded = json.loads((state / _FILE).read_text())
        found = [find_process(pid, created) for pid, created in recorded]
    except (FileNotFoundError, ValueError, TypeError):
        return []
    return [process for process in found if process]


def find_process(pid: int, created: float) -> psutil.Process | None:
    """Return the process of a pid, if it runs and is the one that was recorded.

    Args:
        pid: its id, which may be another process's by now
        created: its start time, in seconds since 1970
    """
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1 and process.status() != "zombie"
    except psutil.Error:
        return None
    return process if same else None


def _start_time(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None
