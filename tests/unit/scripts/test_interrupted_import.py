"""Ctrl-C while a script still imports its libraries."""

import os
import signal
import subprocess
import sys

from tests.support.waiting import PATIENCE_SECONDS

_PROGRAM = """
import os, signal, time
import scripts
os.kill(os.getpid(), signal.SIGINT)
time.sleep(9)
"""
_FAILURE = "import scripts; raise KeyError('x')"


def _run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_ctrl_c_during_imports_shows_no_traceback() -> None:
    done = _run(_PROGRAM)
    assert done.stderr == "error: Interrupted.\n"
    assert done.returncode == -signal.SIGINT


def test_other_errors_keep_their_traceback() -> None:
    assert "Traceback" in _run(_FAILURE).stderr
