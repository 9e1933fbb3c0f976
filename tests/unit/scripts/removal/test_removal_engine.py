"""The engine's command line, played by a shell script that notes what it is asked."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.common import locks, unfinished
from scripts.common.errors import ExitCode, ScriptError
from scripts.common.locks import Lock
from scripts.removal.engine import Engine

pytestmark = pytest.mark.sockets  # starts processes

Play = Callable[[str], Engine]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Has a `pulumi` do what a shell script says."""

    def make(script: str) -> Engine:
        file = tmp_path / "pulumi"
        file.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n')
        file.chmod(0o755)
        (tmp_path / "Pulumi.yaml").write_text("name: imaging\nruntime: python\n")
        path = f"{tmp_path}:{os.environ['PATH']}"
        return Engine("lab-anna", tmp_path, {"PATH": path, "PULUMI_BACKEND_URL": "file:///x"})

    return make


def _calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # subprocess.run looks a command up on the PATH that it gives to the process.
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_the_whole_stack_is_destroyed_line_by_line(play: Play, tmp_path: Path) -> None:
    lines: list[str] = []
    play("echo one; echo two >&2").destroy(None, lines.append)
    assert lines == ["one", "two"]
    (call,) = _calls(tmp_path)
    assert call.startswith("destroy --yes --skip-preview --color never")
    assert call.endswith("--stack lab-anna")


def test_targets_and_colours_are_passed_on(play: Play, tmp_path: Path) -> None:
    play("").destroy(["urn:a", "urn:b"], lambda _: None, color=True)
    (call,) = _calls(tmp_path)
    assert call.endswith("--target urn:a --target urn:b")
    assert "--color always" in call


def test_a_preview_destroys_nothing(play: Play, tmp_path: Path) -> None:
    play("").preview_destroy(None, lambda _: None)
    (call,) = _calls(tmp_path)
    assert call.startswith("destroy --preview-only")
    assert "--yes" not in call


def test_a_failure_is_told_by_the_engines_own_errors(play: Play) -> None:
    lines: list[str] = []
    failing = play(r"printf 'noise\n  \033[31merror: dataset is busy\033[0m\n'; exit 255")
    with pytest.raises(ScriptError) as caught:
        failing.destroy(None, lines.append)
    assert caught.value.message == ("Destroying stack 'lab-anna' failed. error: dataset is busy")
    assert len(lines) == 2


def test_a_locked_stack_is_said_to_be(play: Play) -> None:
    with pytest.raises(ScriptError, match="is locked"):
        play("echo 'error: the stack is currently locked by 1 lock(s)'; exit 255").destroy(
            None, lambda _: None
        )


def test_the_state_and_the_project_are_read(play: Play) -> None:
    exported = {"deployment": {"resources": [{"urn": "u", "type": "a:b:C", "custom": True}]}}
    engine = play(f"case $1 in version) echo 3.258.0;; *) echo '{json.dumps(exported)}';; esac")
    assert [entry.urn for entry in engine.read().made] == ["u"]
    assert engine.project() == "imaging"


def test_the_last_update_comes_from_the_history(play: Play, tmp_path: Path) -> None:
    history = [{"kind": "update", "startTime": "2026-11-23T10:00:00.000Z"}]
    assert play(f"echo '{json.dumps(history)}'").last_update() == datetime(
        2026, 11, 23, 10, tzinfo=UTC
    )
    (call,) = _calls(tmp_path)
    assert call.startswith("stack history --json")
    with pytest.raises(ScriptError, match="history"):
        play("exit 255").last_update()


class Locks:
    """Locks that are held for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def held(self, stack: str, folder: Path, backend: str) -> list[Lock]:
        self.looks -= 1
        return [Lock(Path("lock"), os.getpid())] if self.looks >= 0 else []


def test_another_update_is_waited_for(
    play: Play, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "held", Locks(3).held)
    said: list[str] = []
    play("").wait_for_others(60.0, said.append)
    assert len(naps) == 3
    assert said == [
        f"Another update of the stack runs (process {os.getpid()}): waiting for its end."
    ]


def test_another_update_may_take_too_long(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "held", Locks(9).held)
    with pytest.raises(ScriptError, match="still runs") as caught:
        play("").wait_for_others(0.0, lambda _: None)
    assert caught.value.exit_code is ExitCode.STILL_RUNNING


def test_what_was_left_half_done_is_settled(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[str] = []
    monkeypatch.setattr(unfinished, "settle", lambda stack, *_: settled.append(stack))
    play("").settle(lambda _: None)
    assert settled == ["lab-anna"]
