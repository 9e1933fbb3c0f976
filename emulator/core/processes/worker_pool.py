"""The worker processes that parse: made when first needed, kept warm, gone with the server."""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

LEAST = 2
MOST = 8
QUEUED_PER_WORKER = 2

T = TypeVar("T")
R = TypeVar("R")


def end_with_parent() -> None:
    """Let this process end when its parent does, even when that is killed."""
    parent = multiprocessing.parent_process()
    assert parent

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _discard(discard: Callable[[R], None], future: Future[R]) -> None:
    if not future.cancelled() and future.exception() is None:
        discard(future.result())


class Workers:
    """A pool of processes, used by several operations at once."""

    def __init__(self) -> None:
        self.count = min(max(os.cpu_count() or 1, LEAST), MOST)
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def _executor(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                # Spawned, since a fork of a process with threads may hang.
                self._pool = ProcessPoolExecutor(
                    self.count, multiprocessing.get_context("spawn"), end_with_parent
                )
            return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)

    def map(
        self, work: Callable[[T], R], tasks: Iterable[T], discard: Callable[[R], None]
    ) -> Generator[tuple[T, R | BrokenProcessPool], None, None]:
        """Run tasks, a bounded number ahead, and give each with its result as it is done.

        A task whose worker died (out of memory, a crash in a native decoder) comes with the
        error; the other tasks go on in new workers.

        Args:
            work: a function of a module, run in a worker.
            tasks: taken as workers become free.
            discard: given the results that come after the caller has stopped to take any.

        Raises:
            Exception: what a task raised; the tasks not yet begun are dropped.
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
                    task, pool = running.pop(future)
                    try:
                        yield task, future.result()
                    except BrokenProcessPool as error:
                        self._drop(pool)
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
        pool = self._executor()
        try:
            running[pool.submit(work, task)] = (task, pool)
        except BrokenProcessPool:
            self._drop(pool)
            fresh = self._executor()
            running[fresh.submit(work, task)] = (task, fresh)

    def close(self) -> None:
        """End the workers; what they were at is not waited for, and left to be done again."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            # An interpreter that ends waits for its pools, and a task may take minutes.
            for process in multiprocessing.active_children():
                process.terminate()
