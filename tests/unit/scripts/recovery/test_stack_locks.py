import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.pulumi_stack import PulumiStack
from scripts.recovery import stack_locks
from scripts.recovery.stack_locks import Lock


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: lab\nruntime: python\n")
    return folder


def _lock(backend: Path, name: str, *, pid: int, host: str = "", project: str = "lab") -> Path:
    file = backend / ".pulumi/locks/organization" / project / "local" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": pid, "hostname": host or socket.gethostname()}))
    return file


def _held(name: str, program: Path, backend: str) -> list[Lock]:
    stack = PulumiStack(name, program, {"PULUMI_BACKEND_URL": backend})
    return stack_locks.held(stack)


def _ended() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_lock_is_stale_once_its_process_has_ended(program: Path, tmp_path: Path) -> None:
    dead = _lock(tmp_path, "a", pid=_ended())
    live = _lock(tmp_path, "b", pid=os.getpid())
    found = _held("local", program, tmp_path.as_uri())
    assert [(lock.file, lock.stale) for lock in found] == [(dead, True), (live, False)]


def test_another_process_keeps_running(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    _lock(tmp_path, "a", pid=1)
    monkeypatch.setattr(os, "kill", refuse)
    assert [lock.stale for lock in _held("local", program, tmp_path.as_uri())] == [False]


def test_other_machines_stacks_and_projects_are_left_alone(program: Path, tmp_path: Path) -> None:
    _lock(tmp_path, "a", pid=_ended(), host="another-machine")
    _lock(tmp_path, "b", pid=_ended(), project="another")
    assert _held("local", program, tmp_path.as_uri()) == []
    assert _held("dev", program, tmp_path.as_uri()) == []


@pytest.mark.parametrize("backend", ["gs://bucket", "https://api.pulumi.com", "file:///no/such"])
def test_other_backends_are_left_alone(program: Path, backend: str) -> None:
    assert _held("local", program, backend) == []


def test_the_stack_may_be_named_in_full_and_the_folder_from_home(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lock(tmp_path, "a", pid=_ended())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(_held("organization/lab/local", program, "file://~")) == 1


def test_a_lock_that_cannot_be_read_is_named(program: Path, tmp_path: Path) -> None:
    file = _lock(tmp_path, "a", pid=1)
    file.write_text("{")
    with pytest.raises(ScriptError, match=str(file)) as caught:
        _held("local", program, tmp_path.as_uri())
    assert "pulumi cancel" in caught.value.hint


class Locks:
    """Locks that are held for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def held(self, _: PulumiStack) -> list[Lock]:
        self.looks -= 1
        return [Lock(Path("lock"), os.getpid())] if self.looks >= 0 else []


STACK = PulumiStack("lab-anna", Path())


def test_another_update_is_waited_for(delays: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_locks, "held", Locks(3).held)
    reported: list[str] = []
    stack_locks.wait_until_free(STACK, 60.0, reported.append)
    assert len(delays) == 3
    assert reported == [
        f"Another update of the stack runs (process {os.getpid()}): waiting for its end."
    ]


def test_another_update_may_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_locks, "held", Locks(9).held)
    with pytest.raises(ScriptError, match="still runs") as caught:
        stack_locks.wait_until_free(STACK, 0.0, lambda _: None)
    assert caught.value.exit_code is ExitCode.STILL_RUNNING
