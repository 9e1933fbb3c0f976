"""Attempts: a pipeline that lost a worker runs again, and nothing of it is left."""

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from pipelines import supervisor
from pipelines.supervisor import MAX_ATTEMPTS, WORKER_LOST
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("codes", "code", "number"),
    [
        ([0], 0, 1),
        ([1, 0], 1, 1),
        ([WORKER_LOST, WORKER_LOST, 0], 0, 3),
        ([WORKER_LOST] * 9, WORKER_LOST, MAX_ATTEMPTS),
    ],
)
def test_only_lost_workers_are_worth_another_attempt(
    codes: list[int], code: int, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[int] = []

    def attempt() -> int:
        ran.append(codes[len(ran)])
        return ran[-1]

    assert supervisor.attempts(attempt) == code
    assert len(ran) == number
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == ran.count(WORKER_LOST)


@pytest.mark.sockets  # starts processes
def test_what_a_pipeline_leaves_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = (
        "import subprocess, sys, os, pathlib;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"pathlib.Path({str(file)!r}).write_text(str(child.pid));"
        "os._exit(5)"
    )
    assert supervisor.run([sys.executable, "-c", code]) == 5
    left = int(file.read_text())

    def ended() -> bool:
        return not psutil.pid_exists(left) or psutil.Process(left).status() == "zombie"

    wait_until(ended, f"{left} still runs")
    assert os.getpid() != left
