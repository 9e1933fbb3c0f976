"""One thread in which the changes of resources follow each other, and threads for what blocks."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LOG = logging.getLogger(__name__)
_BLOCKING_THREADS = 8

Task = Callable[[], None]


class Events:
    """Runs changes one after the other, so that none of them needs a lock."""

    def __init__(self) -> None:
        self._changes = ThreadPoolExecutor(1, "run-changes")
        self._blocking = ThreadPoolExecutor(_BLOCKING_THREADS, "run-stops")
        self._is_closed = False

    def add(self, change: Task) -> None:
        """Run a change after those that were added before."""
        self._submit(self._changes, change)

    def add_blocking(self, task: Task, then: Task = lambda: None) -> None:
        """Run a task that takes long beside the changes, and a change after it."""

        def run() -> None:
            task()
            self.add(then)

        self._submit(self._blocking, run)

    def call(self, change: Task) -> None:
        """Run a change after those that were added before, and wait for it."""
        self._changes.submit(change).result()

    def close(self) -> None:
        """Drop what has not begun, and wait for the rest."""
        self._is_closed = True
        for executor in (self._blocking, self._changes):
            executor.shutdown(cancel_futures=True)

    def _submit(self, executor: ThreadPoolExecutor, task: Task) -> None:
        if self._is_closed:
            return  # the next start of the emulator continues from the state

        def logged() -> None:
            try:
                task()
            except Exception:
                LOG.exception("a change of Cloud Run failed")

        try:
            executor.submit(logged)
        except RuntimeError:  # closed meanwhile
            LOG.debug("a change came after the end")
