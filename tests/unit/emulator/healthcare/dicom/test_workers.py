"""The processes that do the heavy work."""

import multiprocessing
import os
import time

import psutil
import pytest

from emulator.healthcare.dicom.workers import FEW, Workers


def test_ending_does_not_wait_for_a_long_task() -> None:
    before = set(multiprocessing.active_children())
    workers = Workers()
    results = workers.map(time.sleep, [0.0, 600.0, 600.0], lambda _: None)
    assert next(results) == (0.0, None)
    started = set(multiprocessing.active_children()) - before
    assert started
    # Not by `join`: the pool waits for them too, and only one of two learns of the end.
    watched = [psutil.Process(process.pid) for process in started]
    workers.close()
    assert psutil.wait_procs(watched, timeout=60)[1] == []


def test_single_tasks_move_to_the_processes_once_there_are_many() -> None:
    workers = Workers()
    try:
        assert {workers.begin(_pid, 0).result() for _ in range(FEW)} == {os.getpid()}
        deadline = time.monotonic() + 60
        while (pid := workers.begin(_pid, 0).result()) == os.getpid():
            assert time.monotonic() < deadline
        assert pid in {process.pid for process in multiprocessing.active_children()}
    finally:
        workers.close()


def test_what_a_task_raises_comes_with_its_result() -> None:
    workers = Workers()
    with pytest.raises(ValueError, match="abc"):
        workers.begin(int, "abc").result()


def _pid(_: int) -> int:
    return os.getpid()
