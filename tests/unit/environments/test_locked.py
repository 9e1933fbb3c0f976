"""An environment from a lock file: created once, again for a new lock file, errors with a hint."""

from pathlib import Path

import pytest

from environments.locked import EnvironmentSetupError, LockedEnvironment


class Part(LockedEnvironment):
    """A part in whose folder uv is only written down."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "the part", "a moment")
        self.calls: list[str]
        object.__setattr__(self, "calls", [])

    def _uv(self, program: str, *arguments: str) -> None:
        self.calls.append(arguments[0])
        if arguments[0] == "venv":
            self.interpreter.parent.mkdir(parents=True, exist_ok=True)
            self.interpreter.touch()


@pytest.fixture
def part(tmp_path: Path) -> Part:
    (tmp_path / "requirements.txt").write_text("pulumi==1\n")
    return Part(tmp_path)


def test_is_created_once(part: Part, capsys: pytest.CaptureFixture[str]) -> None:
    assert part.ensure() == part.ensure() == part.interpreter
    assert part.calls == ["venv", "pip"]
    assert capsys.readouterr().err.count("Setting up the part in") == 1


def test_a_new_lock_file_creates_it_again(part: Part) -> None:
    part.ensure()
    (part.folder / "requirements.txt").write_text("pulumi==2\n")
    part.ensure()
    assert part.calls == ["venv", "pip"] * 2


def test_an_interrupted_setup_starts_over(part: Part) -> None:
    part.ensure()
    (part.folder / ".venv" / ".made-from").unlink()
    part.ensure()
    assert part.calls == ["venv", "pip"] * 2


def test_a_failure_has_the_output_of_uv_and_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements.txt").write_text("this is not a requirement\n")
    environment = LockedEnvironment(tmp_path, "the part", "a moment")
    with pytest.raises(EnvironmentSetupError, match=r"uv pip failed .*requirements\.txt"):
        environment.ensure()
    assert environment.main() == 1
    message = capsys.readouterr().err
    assert "error: uv pip failed for the part" in message
    assert "Fix what uv names" in message
