"""The scripts' command lines, run in process against scripted answers."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from googleapiclient.discovery import build
from typer.testing import CliRunner

from scripts.lib import stack
from scripts.lib.google import clients
from scripts.lib.stack_outputs import Outputs
from scripts.resources import lookup
from tests.unit.scripts.fakes import OUTPUTS, FakeGoogle, Ran
from tests.unit.scripts.services import Services

NAMES = {"kms": "cloudkms", "resourcemanager": "cloudresourcemanager", "cloudrun": "run"}
VERSIONS = {"cloudrun": "v2"}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """The Healthcare API as scripted; delays are not waited for."""
    fake = FakeGoogle()
    client = build("healthcare", "v1", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "healthcare", lambda: client)
    return fake


@pytest.fixture(autouse=True)
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a script requested, in seconds."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


@pytest.fixture
def lab_stack(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stack that is up; the dictionary is what Pulumi says of its outputs."""
    outputs = dict(OUTPUTS)
    environment = SimpleNamespace(environment={})
    monkeypatch.setattr("engine.stack_environment.prepare", lambda name, report: environment)
    monkeypatch.setattr(stack, "outputs", lambda name: Outputs.from_json(name, outputs))
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


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services, for every `Lookup` of the test."""
    fake = Services()

    def client(api: str) -> Any:
        name = NAMES.get(api, api)
        version = VERSIONS.get(api, "v1")
        return build(name, version, http=fake, static_discovery=True, cache_discovery=False)

    for api, (_, variable) in lookup.APIS.items():
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setitem(lookup.APIS, api, (partial(client, api), variable))
    return fake
