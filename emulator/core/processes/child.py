"""Child processes that end with the process that started them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from emulator.core.processes import pdeathsig

STOP_SECONDS = 10.0
"""Seconds between SIGTERM and SIGKILL. Documented for Cloud Run:
https://cloud.google.com/run/docs/container-contract#instance-shutdown."""


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own.

    Linux ties a child to the thread that made it: that thread has to live as long as the child may.

    Args:
        command: its words; the first one is a full path
        environment: all variables of the child
        stdout: where its output goes
        stderr: where its errors go
        folder: its current folder; by default that of this process

    Raises:
        OSError: it can't be started
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", pdeathsig.__file__, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        cwd=folder,
        start_new_session=True,  # a Ctrl-C in the terminal is for the server alone
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it end if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of `launch` and what it started, as the end of a container does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
