"""Worker processes: started when first needed, reused, ended with the server."""

import multiprocessing
import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

from emulator.core.processes.spawned_pool import SpawnedPool

MIN_WORKERS = 2
MAX_WORKERS = 8
QUEUED_PER_WORKER = 2

T = TypeVar("T")
R = TypeVar("R")


def _discard(discard: Callable[[R], None], future: Future[R]) -> None:
    if not future.cancelled() and future.exception() is None:
        discard(future.result())


class WorkerPool:
    """A pool of processes that several operations share.

    Args:
        configure: a function of a module, called once in each worker
    """

    def __init__(self, configure: Callable[[], None] | None = None) -> None:
        self.count = min(max(os.cpu_count() or 1, MIN_WORKERS), MAX_WORKERS)
        self._pool = SpawnedPool(self.count, configure)

    def map(
        self, work: Callable[[T], R], tasks: Iterable[T], discard: Callable[[R], None]
    ) -> Generator[tuple[T, R | BrokenProcessPool], None, None]:
        """Run tasks, a bounded number ahead; yield each with its result when it is done.

        A task whose worker crashed (out of memory, a native decoder) is yielded with the error;
        the other tasks continue in new workers.

        Args:
            work: a function of a module, run in a worker
            tasks: read as workers become free
            discard: called with results that arrive after the caller closed the generator

        Raises:
            Exception: of a task; tasks that have not started are dropped
        """
        waiting = iter(tasks)
        running: dict[Future[R], tuple[T, ProcessPoolExecutor]] = {}
        exhausted = False
        try:
            while True:
                while not exhausted and len(running) < self.count * QUEUED_PER_WORKER:
                    try:
                        task = next(waiting)
                    except StopIteration:
                        exhausted = True
                        break
                    self._submit(work, task, running)
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    task, executor = running.pop(future)
                    try:
                        yield task, future.result()
                    except BrokenProcessPool as error:
                        self._pool.discard(executor)
                        yield task, error
        finally:
            for future in running:
                if not future.cancel():
                    future.add_done_callback(partial(_discard, discard))

    def _submit(
        self,
        work: Callable[[T], R],
        task: T,
        running: dict[Future[R], tuple[T, ProcessPoolExecutor]],
    ) -> None:
        executor = self._pool.executor()
        try:
            running[executor.submit(work, task)] = (task, executor)
        except BrokenProcessPool:
            self._pool.discard(executor)
            fresh = self._pool.executor()
            running[fresh.submit(work, task)] = (task, fresh)

    def close(self) -> None:
        """End the workers without waiting for their tasks, which the next start runs again."""
        if self._pool.close():
            # An interpreter that ends waits for its pools, and a task may take minutes.
            for process in multiprocessing.active_children():
                process.terminate()
