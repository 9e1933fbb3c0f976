"""Attempts of a pipeline on Beam's direct runner, which itself never replaces a lost worker.

Dataflow runs a failed part of a batch job again until it has failed four times (documented:
https://cloud.google.com/dataflow/docs/pipeline-lifecycle#error-and-exception-handling). Here the
whole pipeline is run again, and skips what its ledger has.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

WORKER_LOST = 75
"""The exit code of a pipeline one of whose workers died: EX_TEMPFAIL of sysexits.h."""
MAX_ATTEMPTS = 4
_ROOT = str(Path(__file__).resolve().parents[1])
_SIGNAL_CODE = 128
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""Settings of the C library by which it returns freed memory to the system (mallopt(3)).

Beam's buffers have 10 MB: by default, each thread keeps the memory of those that it had.
"""

Attempt = Callable[[], int]


def run(command: Sequence[str]) -> int:
    """Run a pipeline until it ends without losing a worker, at most `MAX_ATTEMPTS` times.

    Returns:
        Its exit code; 128 and the number of the signal that killed it.
    """
    return attempts(lambda: _Process(command).wait())


def attempts(attempt: Attempt) -> int:
    """Return the exit code of the first attempt that lost no worker, or of the last one."""
    code = WORKER_LOST
    for number in range(1, MAX_ATTEMPTS + 1):
        code = attempt()
        if code != WORKER_LOST:
            break
        then = "running it again" if number < MAX_ATTEMPTS else "giving up"
        _log(f"The pipeline lost a worker in attempt {number} of {MAX_ATTEMPTS}: {then}.")
    return code


class _Process:
    """A process of a pipeline with its workers: a session, so that none of them outlives it."""

    def __init__(self, command: Sequence[str]) -> None:
        paths = filter(None, (_ROOT, os.environ.get("PYTHONPATH")))
        self._process = subprocess.Popen(
            command,
            env={**_ALLOCATOR, **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    def wait(self) -> int:
        """Wait for its end, and kill the workers that are left; pass signals on."""
        before = {each: signal.signal(each, self._end) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            code = self._process.wait()
        finally:
            self._kill()
            for each, handler in before.items():
                signal.signal(each, handler)
        return code if code >= 0 else _SIGNAL_CODE - code

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._kill()
        raise SystemExit(_SIGNAL_CODE + number)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _log(message: str) -> None:
    sys.stderr.write(json.dumps({"severity": "WARNING", "message": message}) + "\n")
