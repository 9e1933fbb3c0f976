"""The command line of `adopt.py`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import adopt
from scripts.adoption import command
from scripts.lib import stack
from scripts.lib.errors import ExitCode
from scripts.lib.property_values import Special
from scripts.preview.model import PropertyChange
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.adoption import urns
from tests.unit.scripts.adoption.urns import urn
from tests.unit.scripts.fakes import Ran
from tests.unit.scripts.services import DATASET, PROJECT, Services

Run = Callable[..., Ran]
D, F, C = (
    urn(urns.DATASET, "healthcare"),
    urn(urns.FHIR, "healthcare-f"),
    urn(urns.OTHER, "c"),
)
PROGRAM: dict[str, dict[str, Any]] = {
    D: {"project": PROJECT, "location": "us-central1", "name": "dataset1"},
    F: {"dataset": DATASET, "name": "f", "version": "R4"},
    C: {"name": "c"},
}
STORE = f"{DATASET}/fhirStores/f"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, services: Services) -> FakeEngine:
    """The stack; the dataset and the store exist."""
    services.found |= {DATASET: {"name": DATASET}, STORE: {"name": STORE}}
    engine = FakeEngine("dev", wanted=PROGRAM)
    engine.project_id = PROJECT

    @contextmanager
    def scratch(real: FakeEngine, state: Any) -> Iterator[FakeEngine]:
        del state
        yield real.copy()

    monkeypatch.setattr(stack, "enter", lambda *_: SimpleNamespace(environment={}))
    monkeypatch.setattr(command, "_open", lambda *_: engine)
    monkeypatch.setattr(command, "scratch", scratch)
    return engine


def test_a_dry_run_reports_all_and_changes_nothing(real: FakeEngine, run: Run) -> None:
    real.differing = {D: (PropertyChange(("timeZone",), "UTC", "Europe/Berlin"),)}
    ran = run(adopt.app, "--stack", "dev", "--dry-run")
    assert ran.code == 0
    assert "us-central1/datasets/dataset1/fhirStores/f" in ran.out
    assert "exists: would be adopted" in ran.out
    assert "exists: adopted" not in ran.out
    assert "not looked for, would be created (this type can't be looked up)" in ran.out
    assert "timeZone: UTC -> Europe/Berlin" in ran.out
    assert "Dry run, nothing was changed. 2 resources to adopt: make adopt STACK=dev" in ran.out
    assert (real.calls, real.kept) == ([], set())


def test_adopted_and_then_there_is_nothing_more(real: FakeEngine, run: Run) -> None:
    ran = run(adopt.app, "--stack", "dev")
    assert ran.code == 0
    assert "Adopted 2 resources. Next: make preview STACK=dev, then make up STACK=dev" in ran.out
    assert real.kept == {D, F}
    again = run(adopt.app, "--stack", "dev")
    assert "Nothing to adopt" in again.out
    assert real.calls.count("import_resources") == 1


def test_refused_with_every_hint(real: FakeEngine, run: Run) -> None:
    version = PropertyChange(("version",), "STU3", "R4", forces_replacement=True)
    real.differing = {F: (version,)}
    ran = run(adopt.app, "--stack", "dev")
    assert ran.code == ExitCode.REFUSED
    assert "In Pulumi.dev.yaml, set fhirStores[name: f].version: STU3" in ran.err
    assert (real.calls, real.kept) == ([], set())
    shape = run(adopt.app, "--stack", "dev", "--json").json["error"]
    assert shape["exit_code"] == 5
    [conflict] = shape["conflicts"]
    assert (conflict["property"], conflict["kind"]) == ("version", "FHIR store")
    assert set(conflict) == {
        *("urn", "kind", "id", "property", "cloud", "program", "key", "hint", "cure")
    }


def test_json(real: FakeEngine, run: Run) -> None:
    secret = PropertyChange(("password",), "a", Special.SECRET)
    real.differing = {D: (secret,)}
    shape = run(adopt.app, "--stack", "dev", "--json", "--dry-run").json
    assert (shape["stack"], shape["dry_run"], shape["managed"]) == ("dev", True, 0)
    assert [(t["urn"], t["id"]) for t in shape["adopted"]] == [(D, DATASET), (F, STORE)]
    assert [(t["urn"], t["fate"]) for t in shape["to_create"]] == [(C, "not looked for")]
    [update] = shape["to_update"]
    assert update["properties"] == [{"path": "password", "old": "a secret", "new": "a secret"}]


def test_a_folder_without_a_program(
    monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path
) -> None:
    monkeypatch.setattr(stack, "enter", lambda *_: SimpleNamespace(environment={}))
    ran = run(adopt.app, "--cwd", str(tmp_path))
    assert ran.code == ExitCode.USAGE
    assert "has no Pulumi.yaml" in ran.err
    (tmp_path / "Pulumi.yaml").touch()
    ran = run(adopt.app, "--cwd", str(tmp_path), "--stack", "acme/dev")
    assert ran.code == ExitCode.USAGE
    assert "Pulumi.dev.yaml does not exist" in ran.err
