"""`python -m engine`: what it prints, and its exit codes."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from engine import __main__ as main
from engine import pulumi_cli, stack_environment
from engine.errors import EngineError
from engine.pulumi_cli import EngineInfo
from engine.stack_environment import StackEnvironment

ENGINE = EngineInfo("v3.258.0", "go-build", Path("/engines/bin"))
ENVIRONMENT = {"PATH": "/engines/bin:/bin", "A": "it's b"}


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks whose environments were prepared."""
    prepared: list[str] = []

    def prepare(stack: str, report: Any) -> StackEnvironment:
        prepared.append(stack)
        report("starting ...")
        return StackEnvironment(ENGINE, "stand-in", ENVIRONMENT)

    monkeypatch.setattr(stack_environment, "prepare", prepare)
    monkeypatch.setattr(pulumi_cli, "obtain", lambda report: ENGINE)
    return prepared


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["engine", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def test_install_says_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "install") == 0
    assert capsys.readouterr().out == "Pulumi v3.258.0 (go-build): /engines/bin\n"
    assert call(monkeypatch, "install", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "version": "v3.258.0",
        "source": "go-build",
        "path": "/engines/bin",
    }


def test_status_obtains_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pulumi_cli, "find", lambda *_, **__: None)
    assert call(monkeypatch, "status") == 1
    assert "There is no engine yet: `python -m engine install`" in capsys.readouterr().err
    monkeypatch.setattr(pulumi_cli, "find", lambda *_, **__: ENGINE)
    assert call(monkeypatch, "status") == 0
    assert "v3.258.0" in capsys.readouterr().out


def test_env_is_for_eval(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], prepared: list[str]
) -> None:
    assert call(monkeypatch, "env") == 0
    output = capsys.readouterr()
    assert [shlex.split(line) for line in output.out.splitlines()] == [
        ["export", "PATH=/engines/bin:/bin"],
        ["export", "A=it's b"],
    ]
    assert output.err == "starting ...\n"
    assert call(monkeypatch, "env", "--stack", "dev", "--json") == 0
    assert json.loads(capsys.readouterr().out) == ENVIRONMENT
    assert prepared == ["local", "dev"]


def test_run_becomes_the_command(monkeypatch: pytest.MonkeyPatch, prepared: list[str]) -> None:
    became: list[Any] = []
    monkeypatch.setattr(os, "execvpe", lambda *given: became.append(given))
    command = ["pulumi", "preview", "--stack", "x", "--", "y"]
    assert call(monkeypatch, "run", "--stack", "dev", "--", *command) == 0
    file, arguments, environment = became[0]
    assert (file, arguments) == ("pulumi", command)
    assert environment["A"] == "it's b"
    assert environment["HOME"] == os.environ["HOME"]
    assert prepared == ["dev"]


def test_run_needs_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], prepared: list[str]
) -> None:
    assert call(monkeypatch, "run", "--stack", "dev") == 2
    assert "no command" in capsys.readouterr().err
    assert prepared == []


def test_run_names_a_command_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", "--", "no-such-command") == 1
    assert "There is no command 'no-such-command' on PATH." in capsys.readouterr().err


def test_an_error_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise EngineError("Nothing [here] works.")

    monkeypatch.setattr(stack_environment, "prepare", refuse)
    assert call(monkeypatch, "env") == 1
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "error: Nothing [here] works.\n")


def test_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--help") == 0
    text = capsys.readouterr().out
    assert "Exit codes: 0 success" in text
    for name in ("install", "status", "env", "run"):
        assert name in text
