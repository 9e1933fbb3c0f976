"""Operations over many items: counters, the log, crashes of a worker process."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from emulator.core.operations.batch_progress import BatchProgress, BatchWork
from emulator.core.operations.runner import OperationCancelledError
from emulator.core.processes.worker_pool import R, T, WorkerPool

Numbers = list[int]
BATCHES = [[1, 2], [0, 3], [4]]


class Recorder:
    """An `OperationRun` that keeps what is reported."""

    name = "operations/1"

    def __init__(self, *, cancelled: bool = False) -> None:
        self.request: dict[str, Any] = {}
        self.counters: list[tuple[int, int, int]] = []
        self.log: list[tuple[str, str]] = []
        self._cancelled = cancelled

    def progress(self, *, success: int, failure: int, pending: int, secondary: int = 0) -> None:
        self.counters.append((success, failure, pending))

    def check_cancelled(self) -> None:
        if self._cancelled:
            raise OperationCancelledError(self.name)

    def log_failure(self, source: str, error: str, code: int = 3) -> None:
        self.log.append((source, error))


class CrashingPool(WorkerPool):
    """A pool whose process crashes at a 0; `is_closed` once no more results are taken."""

    is_closed = False

    def map(
        self, work: Callable[[T], R], tasks: Iterable[T], discard: Callable[[R], None]
    ) -> Generator[tuple[T, R | BrokenProcessPool], None, None]:
        try:
            for task in tasks:
                crashes = isinstance(task, list) and 0 in task
                yield task, BrokenProcessPool() if crashes else work(task)
        finally:
            self.is_closed = True


def double(batch: Numbers) -> Numbers:
    return [2 * number for number in batch]


def make_work(
    store: Callable[[Numbers], None], discarded: list[Numbers]
) -> BatchWork[Numbers, Numbers]:
    return BatchWork(
        run=double,
        sources=lambda batch: [f"item {number}" for number in batch],
        store=store,
        discard=discarded.append,
        crash="The process crashed.",
    )


def test_a_crash_fails_the_items_of_its_batch_and_the_others_go_on() -> None:
    operation, stored, discarded = Recorder(), list[int](), list[Numbers]()
    progress = BatchProgress(operation, total=5, failure=1)

    def store(results: Numbers) -> None:
        for result in results:
            if result == 4:
                progress.fail("item 2", "refused")
            else:
                stored.append(result)
                progress.succeed()

    pool = CrashingPool()
    progress.report()
    progress.run_batches(pool, make_work(store, discarded), BATCHES)

    assert stored == [2, 8]
    assert operation.log == [
        ("item 2", "refused"),
        ("item 0", "The process crashed."),
        ("item 3", "The process crashed."),
    ]
    # What failed before the first batch is a failure, and not one of the pending items.
    assert operation.counters == [(0, 1, 5), (1, 2, 3), (1, 4, 1), (2, 4, 0)]
    assert discarded == []
    assert pool.is_closed


def test_a_result_that_is_not_stored_is_discarded() -> None:
    operation, discarded, pool = Recorder(), list[Numbers](), CrashingPool()

    def store(_: Numbers) -> None:
        raise OSError("the disk is full")

    progress = BatchProgress(operation, total=5)
    with pytest.raises(OSError, match="the disk is full"):
        progress.run_batches(pool, make_work(store, discarded), BATCHES)
    assert discarded == [[2, 4]]
    assert pool.is_closed


def test_a_request_to_cancel_counts_what_is_stored() -> None:
    operation, pool = Recorder(cancelled=True), CrashingPool()
    progress = BatchProgress(operation, total=5)
    work = make_work(lambda results: progress.succeed(len(results)), [])
    with pytest.raises(OperationCancelledError):
        progress.run_batches(pool, work, BATCHES)
    assert operation.counters == [(2, 0, 3)]
    assert pool.is_closed


def test_pending_is_never_negative() -> None:
    operation = Recorder()
    progress = BatchProgress(operation, total=1)
    progress.succeed(3)
    progress.report()
    assert operation.counters == [(3, 0, 0)]
