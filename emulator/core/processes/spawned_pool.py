"""An executor of spawned processes, which a crash of one of them makes unusable."""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor


def _end_with_parent() -> None:
    """End this process when its parent ends, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _initialize(configure: Callable[[], None] | None) -> None:
    _end_with_parent()
    if configure is not None:
        configure()


class SpawnedPool:
    """Creates an executor on demand, and a new one after a crash.

    Args:
        count: the number of processes
        configure: a function of a module, called once in each process
    """

    def __init__(self, count: int, configure: Callable[[], None] | None = None) -> None:
        self._count = count
        self._configure = configure
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None

    def executor(self) -> ProcessPoolExecutor:
        """Return the executor; its processes start with the first task."""
        with self._lock:
            if self._executor is None:
                # Spawned, since a fork of a process with threads may hang.
                self._executor = ProcessPoolExecutor(
                    self._count,
                    multiprocessing.get_context("spawn"),
                    _initialize,
                    (self._configure,),
                )
            return self._executor

    def discard(self, broken: ProcessPoolExecutor) -> None:
        """Shut down an executor whose process crashed; `executor` returns a new one."""
        with self._lock:
            if self._executor is broken:
                self._executor = None
        broken.shutdown(wait=False, cancel_futures=True)

    def close(self) -> bool:
        """Shut down without waiting for tasks.

        Returns:
            Whether there was an executor
        """
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is None:
            return False
        executor.shutdown(wait=False, cancel_futures=True)
        return True
