"""The processes that do the heavy work."""

import multiprocessing
import multiprocessing.connection
import time

from emulator.core.processes.worker_pool import WorkerPool


def test_ending_does_not_wait_for_a_long_task() -> None:
    before = set(multiprocessing.active_children())
    workers = WorkerPool()
    results = workers.map(time.sleep, [0.0, 600.0, 600.0], lambda _: None)
    assert next(results) == (0.0, None)
    started = set(multiprocessing.active_children()) - before
    assert started
    workers.close()
    # Not by waiting for the processes themselves, as psutil does too: the pool does that, and would
    # never learn of an end that another was told of.
    deadline = time.monotonic() + 60
    running = {process.sentinel for process in started}
    while running and time.monotonic() < deadline:
        running -= set(multiprocessing.connection.wait(running, timeout=1))
    assert not running
