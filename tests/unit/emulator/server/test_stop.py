"""The end of an emulator that another process started."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo, write_server_info


def begin(command: str) -> subprocess.Popen[str]:
    """Start a process that never asks how its children ended."""
    script = f"{command} & echo $!; exec sleep 60 >&-"
    return subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    process = begin(request.param)
    yield process
    process.kill()
    process.communicate()


def child_of(parent: subprocess.Popen[str], state: Path, lines: int = 1) -> psutil.Process:
    """Return the child of a process, once both have written lines: the emulator of a state."""
    assert parent.stdout
    written = "".join(parent.stdout.readline() for _ in range(lines))
    child = psutil.Process(int(written))
    write_server_info(ServerInfo(child.pid, child.create_time(), Ports(1, 2, 3), state))
    return child


@pytest.mark.parametrize("parent", ["sleep 60 >&-"], indirect=True)
def test_a_parent_that_does_not_wait_holds_up_no_stop(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    child = child_of(parent, tmp_path)
    assert lifecycle.stop(tmp_path)
    assert child.status() == psutil.STATUS_ZOMBIE
    assert not lifecycle.stop(tmp_path)


@pytest.mark.parametrize("parent", ["sh -c 'trap \"\" TERM; echo; sleep 60 >&-'"], indirect=True)
def test_a_process_that_does_not_end_is_named(
    parent: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "STOP_SECONDS", 0.1)
    child = child_of(parent, tmp_path, 2)  # it ignores signals by now
    with pytest.raises(EmulatorError, match=f"process {child.pid}"):
        lifecycle.stop(tmp_path)
    for process in (*child.children(), child):
        process.kill()
