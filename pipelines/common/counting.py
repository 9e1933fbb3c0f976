"""Counters of a worker: Beam's metrics, and lines of its log while it works.

The direct runner shows no metrics before the end of a pipeline: the lines are its progress.
"""

import os
import socket
import time
import uuid
from typing import Any

from apache_beam.metrics import Metrics

from workloads.common import logs
from workloads.common.counters import Counters
from workloads.common.logs import Log

SECONDS = 2.0


class Counting:
    """Counts in the name of a pipeline.

    Args:
        pipeline: its name, the namespace of the metrics
    """

    def __init__(self, pipeline: str) -> None:
        logs.configure()
        self._pipeline = pipeline
        self._metrics: dict[str, Any] = {}
        self._log = Log("pipeline")
        self._counters = Counters()
        self._worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._logged = 0.0

    def add(self, name: str, number: int = 1) -> None:
        """Count, and log from time to time."""
        if name not in self._metrics:
            self._metrics[name] = Metrics.counter(self._pipeline, name)
        self._metrics[name].inc(number)
        self._counters.add(name, number)
        if time.monotonic() - self._logged >= SECONDS:
            self.log()

    def log(self) -> None:
        """Log all numbers of this worker."""
        self._logged = time.monotonic()
        self._log.info(
            "counters",
            pipeline=self._pipeline,
            worker=self._worker,
            counters=self._counters.snapshot(),
        )
