"""The processes that do the heavy work."""

import multiprocessing
import time

from emulator.healthcare.dicom.workers import Workers


def test_ending_does_not_wait_for_a_long_task() -> None:
    before = set(multiprocessing.active_children())
    workers = Workers()
    results = workers.map(time.sleep, [0.0, 600.0, 600.0], lambda _: None)
    assert next(results) == (0.0, None)
    started = set(multiprocessing.active_children()) - before
    assert started
    workers.close()
    for process in started:
        process.join(60)
    assert [process for process in started if process.is_alive()] == []
