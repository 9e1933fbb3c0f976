"""The recipes of the Makefile that are more than one command."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.labs import ROOT


@pytest.fixture(autouse=True)
def own_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """A make of its own: under `make test` it would report the folders that it enters."""
    for variable in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a virtual environment that holds one file."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = folder / ".venv"
    environment.mkdir()
    (environment / ".ready").write_text(f"{folder.resolve()}\n")
    return folder


def fake_python(checkout: Path, events: Path, code: int) -> None:
    """Have the checkout's Python run Pulumi as a preview that writes events and ends with a code.

    The summary of the preview is this project's own.
    """
    (checkout / "scripts").symlink_to(ROOT / "scripts")
    (checkout / ".venv/bin").mkdir()
    python = checkout / ".venv/bin/python"
    python.write_text(
        "#!/bin/sh\n"
        f'case "$*" in scripts/*) exec {sys.executable} "$@" ;; esac\n'
        'case "$*" in *" preview "*) ;; *) exit 0 ;; esac\n'
        'while [ "$1" != --event-log ]; do shift; done\n'
        f'cat {events} > "$2"\n'
        'echo "$2" > log-name\n'
        "echo THE-DIFF\n"
        f"exit {code}\n"
    )
    python.chmod(0o755)


def preview(checkout: Path) -> subprocess.CompletedProcess[str]:
    (checkout / "Pulumi.local.yaml").touch()
    command = ["make", "preview"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 255])
def test_a_preview_ends_with_the_data_that_it_would_lose(checkout: Path, code: int) -> None:
    fake_python(checkout, ROOT / "tests/data/previews/rename.events.jsonl", code)
    done = preview(checkout)
    assert done.stdout == "THE-DIFF\n"
    assert "This change would lose data, patient data among it:\n  - Healthcare" in done.stderr
    assert (done.returncode != 0) == (code != 0)
    assert not Path((checkout / "log-name").read_text().strip()).exists()  # it may hold secrets


def test_a_harmless_preview_says_so(checkout: Path) -> None:
    fake_python(checkout, ROOT / "tests/data/previews/nothing.events.jsonl", 0)
    assert preview(checkout).stderr == "No data would be lost.\n"


def test_a_preview_that_wrote_no_event_has_no_summary(checkout: Path) -> None:
    fake_python(checkout, Path("/dev/null"), 255)
    assert "data" not in preview(checkout).stderr


def setup(checkout: Path) -> str:
    # `false` in place of Python ends the recipe at its first step, without a network.
    command = ["make", "setup", "PYTHON=false"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_an_environment_in_its_place_is_kept(checkout: Path) -> None:
    assert "Nothing to be done" in setup(checkout)


@pytest.mark.parametrize("content", ["/elsewhere\n", ""], ids=["moved", "of an older version"])
def test_an_environment_of_another_folder_is_created_again(checkout: Path, content: str) -> None:
    (checkout / ".venv/.ready").write_text(content)
    (checkout / "policy/.venv").mkdir(parents=True)
    assert "This checkout has moved" in setup(checkout)
    assert not (checkout / ".venv").exists()
    assert not (checkout / "policy/.venv").exists()


def make(checkout: Path, target: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = ["make", target]
    return subprocess.run(
        command, cwd=checkout, input=answer, capture_output=True, text=True, check=False
    )


@pytest.fixture
def state(checkout: Path) -> Path:
    """A file of the local state in the checkout."""
    file = checkout / ".lab/emulator/state.sqlite3"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


def test_clean_keeps_the_state(checkout: Path, state: Path) -> None:
    assert make(checkout, "clean").returncode == 0
    assert state.exists()
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(("answer", "deletes"), [("y\n", True), ("n\n", False), ("", False)])
def test_clean_state_deletes_the_state_after_a_confirmation(
    checkout: Path, state: Path, answer: str, deletes: bool
) -> None:
    done = make(checkout, "clean-state", answer)
    assert state.exists() != deletes
    assert (done.returncode == 0) == deletes
    assert ("Nothing was deleted." in done.stdout) != deletes


@pytest.mark.parametrize("target", ["up", "refresh"])
@pytest.mark.parametrize(
    ("arguments", "code"), [("", 2), ("--yes --target x", 0), ("-y", 0), ("--yes-please", 2)]
)
def test_without_a_terminal_changes_need_a_yes(
    checkout: Path, target: str, arguments: str, code: int
) -> None:
    (checkout / ".venv/bin").mkdir()
    (checkout / ".venv/bin/python").symlink_to(shutil.which("true") or "")
    (checkout / "Pulumi.local.yaml").touch()
    done = subprocess.run(
        ["make", target, f"ARGS={arguments}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, "add ARGS=--yes" in done.stderr) == (code, code != 0), done.stderr
