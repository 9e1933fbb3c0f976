"""Runs of pipelines and scripts: their duration, processor time and memory."""

import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from benchmarks.clones import ROOT, BenchmarkError
from benchmarks.local import Local
from benchmarks.memory import Watch

_SECONDS = 7_200
_WORKER = "apache_beam.runners.worker.sdk_worker_main"


@dataclass(frozen=True)
class Run:
    """A process that succeeded, with all processes below it.

    Attributes:
        seconds: from its start to its end
        processor: seconds of processor time, of user and system
        peak_mb: the most memory that they held at once
        peak_worker_mb: the most memory of one worker of Beam
        output: standard output
    """

    seconds: float
    processor: float
    peak_mb: float
    peak_worker_mb: float
    output: str


def ingest(local: Local, bucket: str, processes: int) -> Run:
    """Ingest the files of a bucket into a store that is deleted afterwards.

    Raises:
        BenchmarkError: the pipeline fails
    """
    with local.store() as store:
        output = f"gs://{bucket}/runs/{store.rpartition('/')[2]}"
        options = [f"--source=gs://{bucket}/", f"--store={store}", f"--output={output}"]
        options += ["--suffix=.dcm", f"--direct_num_workers={processes}"]
        return run(local, [sys.executable, "-m", "pipelines", "ingest", *options])


def run(local: Local, command: list[str], text: str = "") -> Run:
    """Run a command that uses the emulator.

    Args:
        local: the emulator
        command: with its arguments
        text: for its standard input

    Raises:
        BenchmarkError: it fails, or does not end in two hours
    """
    before, began = _processor(), time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=local.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(_SECONDS, process.kill)
    timer.start()
    try:
        with Watch(process.pid, _WORKER) as watch:
            output, errors = process.communicate(text)
    finally:
        timer.cancel()
    if process.returncode != 0:
        raise BenchmarkError(f"{' '.join(command[:4])} failed: {errors[-1000:]}")
    seconds = time.perf_counter() - began
    used = _processor() - before
    return Run(seconds, used, watch.peak_mb, watch.peak_worker_mb, output)


def _processor() -> float:
    """Return the processor time of all children that ended, and of those below them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
