"""The processes that do the heavy work."""

import multiprocessing
import time

import psutil

from emulator.healthcare.dicom.workers import Workers


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
