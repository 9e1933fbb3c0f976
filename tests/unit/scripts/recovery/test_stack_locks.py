import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common import locks
from scripts.common.errors import ScriptError


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


def _ended() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_lock_is_stale_once_its_process_has_ended(program: Path, tmp_path: Path) -> None:
    dead = _lock(tmp_path, "a", pid=_ended())
    live = _lock(tmp_path, "b", pid=os.getpid())
    found = locks.held("local", program, tmp_path.as_uri())
    assert [(lock.file, lock.stale) for lock in found] == [(dead, True), (live, False)]


def test_somebody_elses_process_lives(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    _lock(tmp_path, "a", pid=1)
    monkeypatch.setattr(os, "kill", refuse)
    assert [lock.stale for lock in locks.held("local", program, tmp_path.as_uri())] == [False]


def test_other_machines_stacks_and_projects_are_left_alone(program: Path, tmp_path: Path) -> None:
    _lock(tmp_path, "a", pid=_ended(), host="another-machine")
    _lock(tmp_path, "b", pid=_ended(), project="another")
    assert locks.held("local", program, tmp_path.as_uri()) == []
    assert locks.held("dev", program, tmp_path.as_uri()) == []


@pytest.mark.parametrize("backend", ["gs://bucket", "https://api.pulumi.com", "file:///no/such"])
def test_other_backends_are_left_alone(program: Path, backend: str) -> None:
    assert locks.held("local", program, backend) == []


def test_the_stack_may_be_named_in_full_and_the_folder_from_home(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lock(tmp_path, "a", pid=_ended())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(locks.held("organization/lab/local", program, "file://~")) == 1


def test_a_lock_that_cannot_be_read_is_named(program: Path, tmp_path: Path) -> None:
    file = _lock(tmp_path, "a", pid=1)
    file.write_text("{")
    with pytest.raises(ScriptError, match=str(file)) as caught:
        locks.held("local", program, tmp_path.as_uri())
    assert "pulumi cancel" in caught.value.cure
