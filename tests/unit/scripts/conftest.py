"""The scripts' command lines, run in process against scripted answers."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from googleapiclient.discovery import build
from typer.testing import CliRunner

from scripts.common import clients, stack
from tests.unit.scripts.fakes import OUTPUTS, FakeGoogle, Ran


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """The Healthcare API as scripted; naps are not slept."""
    fake = FakeGoogle()
    client = build("healthcare", "v1", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "healthcare", lambda: client)
    return fake


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been slept, in seconds."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


@pytest.fixture
def lab_stack(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stack that is up; the dictionary is what Pulumi says of its outputs."""
    outputs = dict(OUTPUTS)
    place = SimpleNamespace(environment={})
    monkeypatch.setattr("engine.places.prepare", lambda name, report: place)
    monkeypatch.setattr(stack, "outputs", lambda name: stack.Outputs.from_json(name, outputs))
    return outputs


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a script's command line in process, in a wide and plain terminal."""
    monkeypatch.setenv("COLUMNS", "400")

    def runner(app: typer.Typer, *arguments: str) -> Ran:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return runner
