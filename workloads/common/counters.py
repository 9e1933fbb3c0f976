"""Counters of a workload, which it logs at intervals: log-based metrics read them from there."""

import threading
from collections import Counter

from workloads.common.logs import Log


class Counters:
    """Numbers of events since the start, by name; safe for threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, number: int = 1) -> None:
        """Count events."""
        with self._lock:
            self._counts[name] += number

    def snapshot(self) -> dict[str, int]:
        """Return all numbers, by name."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def log_every(self, seconds: float, log: Log, stop: threading.Event) -> threading.Thread:
        """Log the numbers in a thread, at intervals and when the workload stops."""

        def run() -> None:
            while not stop.wait(seconds):
                log.info("counters", counters=self.snapshot())
            log.info("counters", counters=self.snapshot())

        thread = threading.Thread(target=run, name="counters", daemon=True)
        thread.start()
        return thread
