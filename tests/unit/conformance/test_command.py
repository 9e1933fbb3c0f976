"""Requests that the conformance kit refuses before it creates anything."""

from pathlib import Path

import pytest

from conformance import command
from conformance.names import PRICE, Names
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError


def refused(request: command.Request, *, as_json: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        command.run(request, Output(as_json=as_json))
    return str(caught.value)


def test_a_request_without_a_project_is_refused() -> None:
    assert "PROJECT=my-project" in refused(command.Request("", "us-central1"))


def test_json_does_not_ask() -> None:
    assert "--yes" in refused(command.Request("my-project", "us-central1"), as_json=True)


def test_a_file_in_no_folder_is_refused_before_the_run(tmp_path: Path) -> None:
    request = command.Request(
        "my-project", "us-central1", output_file=tmp_path / "none" / "report.json", yes=True
    )
    assert "is not a folder" in refused(request)


def test_a_shell_that_points_to_an_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1/")
    assert "python -m emulator env" in refused(command.Request("my-project", "l", yes=True))


def test_an_unknown_check_is_refused() -> None:
    request = command.Request("my-project", "us-central1", ("unknown",), yes=True)
    assert "no check unknown" in refused(request)


def test_every_resource_and_the_price_are_named_before_anything_is_created(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("conformance.command.typer.confirm", stop)
    with pytest.raises(KeyboardInterrupt):
        command.run(command.Request("my-project", "us-central1"), Output())
    announced = capsys.readouterr().err
    names = Names("my-project", "us-central1", "RUN")
    assert PRICE in announced
    assert len([line for line in announced.splitlines() if line.startswith("  ")]) == len(
        names.describe()
    )
    for words in ("datasets/conformance-", "gs://conformance-", "my-project.conformance_"):
        assert words in announced
