"""Records of child processes: by them a start finds those that a killed emulator left."""

import json
from collections.abc import Iterable
from pathlib import Path

import psutil

from emulator.core.processes.json_file import write_json


def record(path: Path, pids: Iterable[int]) -> None:
    """Write down processes with their start times, since a later process may have the same id.

    Args:
        path: of the file
        pids: of the processes that run
    """
    found = [(pid, _start_time(pid)) for pid in pids]
    write_json(path, [one for one in found if one[1] is not None])


def running(path: Path) -> list[psutil.Process]:
    """Return those of the recorded processes that still run."""
    try:
        recorded = json.loads(path.read_text())
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
