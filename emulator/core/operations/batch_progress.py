"""Progress of operations that handle many items in batches, in worker processes.

Inferred (conformance: import-partly-failed): the code and the text of an operation of which a part
failed.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar

from emulator.core.errors import RPC_CODES
from emulator.core.operations.operation_type import INVALID_ARGUMENT, OperationRun
from emulator.core.processes.worker_pool import WorkerPool

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class BatchWork(Generic[T, R]):
    """The work on batches of items.

    Attributes:
        run: a function of a module, which a worker process calls with a batch
        sources: returns the names of a batch's items, for the log of the operation
        store: stores a batch's result; it counts each item of the batch once
        discard: frees the files of a result that is not stored
        crash: the error of each item of a batch whose process crashed
    """

    run: Callable[[T], R]
    sources: Callable[[T], Sequence[str]]
    store: Callable[[R], None]
    discard: Callable[[R], None]
    crash: str


class BatchProgress:
    """Counters and error log of a running operation.

    Args:
        operation: the operation
        total: items that the operation handles
        failure: further items that have failed already, and stand in the log
    """

    def __init__(self, operation: OperationRun, total: int, failure: int = 0) -> None:
        self._operation = operation
        self._total = total
        self._missing = failure
        self._success = self._failure = 0

    def succeed(self, count: int = 1) -> None:
        """Count items as a success."""
        self._success += count

    def fail(self, source: str, error: str, code: int = INVALID_ARGUMENT) -> None:
        """Count an item as a failure, and log it with a code of google.rpc.Code."""
        self._operation.log_failure(source, error, code)
        self._failure += 1

    def report(self) -> None:
        """Write the counters."""
        # Items may be added while the operation runs.
        pending = max(0, self._total - self._success - self._failure)
        failure = self._missing + self._failure
        self._operation.progress(success=self._success, failure=failure, pending=pending)

    def check(self) -> None:
        """Write the counters, and stop after a request to cancel.

        Raises:
            OperationCancelledError: the operation is cancelled
        """
        self.report()
        self._operation.check_cancelled()

    def run_batches(self, workers: WorkerPool, work: BatchWork[T, R], batches: Iterable[T]) -> None:
        """Run batches in worker processes, and store their results as they come.

        If a process crashes, all items of its batch fail; the other batches continue.
        """
        results = workers.map(work.run, batches, work.discard)
        with closing(results):
            for batch, result in results:
                if isinstance(result, BrokenProcessPool):
                    for source in work.sources(batch):
                        self.fail(source, work.crash, RPC_CODES["INTERNAL"])
                else:
                    _store(work, result)
                self.check()


def _store(work: BatchWork[T, R], result: R) -> None:
    try:
        work.store(result)
    except BaseException:
        work.discard(result)
        raise
