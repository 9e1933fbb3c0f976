"""The pack's own environment: created once, updated for a new lock file, errors with a hint."""

import sys
from pathlib import Path

import pytest

from policy import environment
from policy.environment import EnvironmentSetupError


class Folder:
    """A pack's folder in which uv is only written down."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.lock = folder / "requirements.txt"
        self.venv = folder / ".venv"
        self.lock.write_text("pulumi==1\n")
        patch.setattr(environment, "_LOCK", self.lock)
        patch.setattr(environment, "_VENV", self.venv)
        patch.setattr(environment, "_DIGEST", self.venv / ".made-from")
        patch.setattr(environment, "_uv", self.uv)

    def uv(self, *arguments: str) -> None:
        self.calls.append(arguments[0])
        if arguments[0] == "venv":
            (self.venv / "bin").mkdir(parents=True, exist_ok=True)
            (self.venv / "bin" / "python").touch()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(sys, "platform", "linux")
    return Folder(tmp_path, monkeypatch)


def test_is_made_once(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.ensure() == folder.venv / "bin" / "python"
    assert environment.ensure() == folder.venv / "bin" / "python"
    assert folder.calls == ["venv", "pip"]
    assert capsys.readouterr().err.count("Setting up the policy pack") == 1


def test_a_new_lock_file_makes_it_again(folder: Folder) -> None:
    environment.ensure()
    folder.lock.write_text("pulumi==2\n")
    environment.ensure()
    assert folder.calls == ["venv", "pip"] * 2


def test_an_interrupted_setup_starts_over(folder: Folder) -> None:
    environment.ensure()
    (folder.venv / ".made-from").unlink()
    environment.ensure()
    assert folder.calls == ["venv", "pip"] * 2


def test_a_failure_has_the_output_of_uv_and_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("this is not a requirement\n")
    for name, path in {"_LOCK": lock, "_VENV": tmp_path / ".venv"}.items():
        monkeypatch.setattr(environment, name, path)
    monkeypatch.setattr(environment, "_DIGEST", tmp_path / ".venv" / ".made-from")
    with pytest.raises(EnvironmentSetupError, match=r"uv pip failed .*requirements\.txt"):
        environment.ensure()
    assert environment.main() == 1
    message = capsys.readouterr().err
    assert "error: uv pip failed for the policy pack" in message
    assert "Fix what uv names" in message
