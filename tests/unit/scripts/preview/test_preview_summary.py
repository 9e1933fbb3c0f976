"""The command line: what it writes where, and how it ends."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.preview_summary import DATA_LOSS, FAILED, UNREADABLE, app

Recorded = Callable[[str], Path]
ROOT = Path(__file__).resolve().parents[4]


def run(
    *arguments: str | Path, text: str | None = None, env: dict[str, str] | None = None
) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), input=text, env=env)


@pytest.mark.parametrize("recording", ["rename", "rename.events", "removed"])
def test_the_dangerous_ones_are_refused(recorded: Recorded, recording: str) -> None:
    result = run(recorded(recording), "--fail-on-data-loss")
    assert result.exit_code == DATA_LOSS
    assert "[!CAUTION]" in result.stdout
    assert "error: data would be lost" in result.stderr
    assert "acknowledge-data-loss" in result.stderr


@pytest.mark.parametrize("recording", ["rename", "removed"])
@pytest.mark.parametrize(
    "how",
    [
        ["--acknowledge"],
        ["--labels", "acknowledge-data-loss"],
        ["--labels", '["ok"]', "--acknowledge-label", "ok"],
    ],
)
def test_an_acknowledged_loss_passes(recorded: Recorded, recording: str, how: list[str]) -> None:
    result = run(recorded(recording), "--fail-on-data-loss", *how)
    assert result.exit_code == 0
    assert "Acknowledged by" in result.stdout


def test_labels_come_from_the_environment_too(recorded: Recorded) -> None:
    env = {"PREVIEW_LABELS": '["acknowledge-data-loss"]'}
    assert run(recorded("removed"), "--fail-on-data-loss", env=env).exit_code == 0


def test_without_the_option_nothing_is_refused(recorded: Recorded) -> None:
    assert run(recorded("rename")).exit_code == 0


@pytest.mark.parametrize("recording", ["create", "update", "nothing", "secret", "refresh"])
def test_harmless_changes_pass(recorded: Recorded, recording: str) -> None:
    assert run(recorded(recording), "--fail-on-data-loss").exit_code == 0


@pytest.mark.parametrize("recording", ["boom", "checkfail", "checkfail.events", "protected"])
def test_a_failed_preview_fails_with_a_summary(recorded: Recorded, recording: str) -> None:
    result = run(recorded(recording), "--fail-on-data-loss", "--acknowledge")
    assert result.exit_code == FAILED
    assert "The preview failed" in result.stdout


def test_a_failure_outside_the_json_counts(recorded: Recorded) -> None:
    result = run(recorded("nothing"), "--preview-exit-code", "1")
    assert result.exit_code == FAILED
    assert "Preview of <code>dev</code>: failed" in result.output
    assert "no changes" not in result.output
    assert "Nothing to do" not in result.output
    assert "failed with exit code 1" in result.stdout
    silent = run("--stack", "dev", "--preview-exit-code", "255", text="")
    assert silent.exit_code == FAILED
    assert silent.stdout.startswith("<!-- gcp-healthcare-dicom:preview:dev -->")


@pytest.mark.parametrize("text", ["", "not json", '{"a": 1}'])
def test_bad_input_is_an_error_of_its_own(text: str) -> None:
    result = run(text=text)
    assert result.exit_code == UNREADABLE
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")


def test_a_missing_file_and_binary_input(tmp_path: Path) -> None:
    missing = run(tmp_path / "none.json")
    assert missing.exit_code == UNREADABLE
    assert "can't be read" in missing.stderr
    binary = tmp_path / "x.gz"
    binary.write_bytes(b"\x1f\x8b\xff")
    assert "not UTF-8" in run(binary).stderr


def test_it_writes_json_and_files(recorded: Recorded, tmp_path: Path) -> None:
    output = tmp_path / "summary.json"
    text = recorded("rename").read_text(encoding="utf-8")
    result = run("-", "--format", "json", "--output", output, text=text)
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(output.read_text(encoding="utf-8"))["dataLoss"]["found"] is True
    nowhere = run(recorded("rename"), "--output", tmp_path / "no" / "folder")
    assert nowhere.exit_code == UNREADABLE


def test_text_for_a_terminal_names_the_losses_alone(recorded: Recorded) -> None:
    lost = run(recorded("rename.events"), "--format", "text")
    head, *losses = lost.stdout.splitlines()
    assert (lost.exit_code, head) == (0, "This change would lose data, patient data among it:")
    assert losses
    assert losses[0].startswith("  - Healthcare dataset `dataset1` would be replaced, because")
    assert "|" not in lost.stdout

    harmless = run(recorded("update.events"), "--format", "text")
    assert (harmless.exit_code, harmless.stdout) == (0, "No data would be lost.\n")


def test_text_of_a_failed_preview_promises_nothing(recorded: Recorded) -> None:
    failed = run(recorded("checkfail.events"), "--format", "text")
    assert failed.exit_code == FAILED
    assert failed.stdout == "The preview failed: whether data would be lost is not known.\n"


def test_help_explains_the_exit_codes() -> None:
    result = run("--help")
    assert "Exit codes" in result.stdout
    assert "without acknowledgement" in result.stdout


@pytest.mark.sockets
def test_it_runs_as_a_file_from_anywhere(recorded: Recorded, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "preview_summary.py"
    command = [sys.executable, str(script), str(recorded("nothing"))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Nothing to do" in done.stdout
