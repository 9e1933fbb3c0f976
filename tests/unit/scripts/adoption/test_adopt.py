"""The command line of `adopt.py`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import adopt
from scripts.common import stack
from scripts.common.errors import ExitCode
from scripts.preview.model import PropertyChange
from scripts.preview.values import Special
from tests.unit.scripts.adoption import engine
from tests.unit.scripts.adoption.engine import Paper, urn
from tests.unit.scripts.adoption.services import DATASET, PROJECT, Services
from tests.unit.scripts.fakes import Ran

Run = Callable[..., Ran]
D, F, C = (
    urn(engine.DATASET, "healthcare"),
    urn(engine.FHIR, "healthcare-f"),
    urn(engine.OTHER, "c"),
)
PROGRAM: dict[str, dict[str, Any]] = {
    D: {"project": PROJECT, "location": "us-central1", "name": "dataset1"},
    F: {"dataset": DATASET, "name": "f", "version": "R4"},
    C: {"name": "c"},
}
STORE = f"{DATASET}/fhirStores/f"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, services: Services) -> Paper:
    """The stack; the dataset and the store exist."""
    services.found |= {DATASET: {"name": DATASET}, STORE: {"name": STORE}}
    paper = Paper(PROGRAM)

    @contextmanager
    def scratch(real: Paper, state: Any) -> Iterator[Paper]:
        del state
        yield Paper(real.program, set(real.kept), real.differing)

    monkeypatch.setattr(stack, "enter", lambda *_: SimpleNamespace(environment={}))
    monkeypatch.setattr(adopt, "open_at", lambda *_: paper)
    monkeypatch.setattr(adopt, "scratch", scratch)
    return paper


def test_a_dry_run_tells_all_and_changes_nothing(real: Paper, run: Run) -> None:
    real.differing = {D: (PropertyChange(("timeZone",), "UTC", "Europe/Berlin"),)}
    ran = run(adopt.app, "--stack", "dev", "--dry-run")
    assert ran.code == 0
    assert "us-central1/datasets/dataset1/fhirStores/f" in ran.out
    assert "not looked for, would be created (this type can't be looked for)" in ran.out
    assert "timeZone: UTC -> Europe/Berlin" in ran.out
    assert "Dry run, nothing was changed. 2 resources to adopt: make adopt STACK=dev" in ran.out
    assert (real.log, real.kept) == ([], set())


def test_adopted_and_then_there_is_nothing_more(real: Paper, run: Run) -> None:
    ran = run(adopt.app, "--stack", "dev")
    assert ran.code == 0
    assert "Adopted 2 resources. Next: make preview STACK=dev, then make up STACK=dev" in ran.out
    assert real.kept == {D, F}
    again = run(adopt.app, "--stack", "dev")
    assert "Nothing to adopt" in again.out
    assert real.log.count("import") == 1


def test_refused_with_every_cure(real: Paper, run: Run) -> None:
    version = PropertyChange(("version",), "STU3", "R4", forces_replacement=True)
    real.differing = {F: (version,)}
    ran = run(adopt.app, "--stack", "dev")
    assert ran.code == ExitCode.REFUSED
    assert "In Pulumi.dev.yaml, set fhirStores[name: f].version: STU3" in ran.err
    assert (real.log, real.kept) == ([], set())
    told = run(adopt.app, "--stack", "dev", "--json").json["error"]
    assert told["exit_code"] == 5
    assert [c["property"] for c in told["conflicts"]] == ["version"]


def test_json(real: Paper, run: Run) -> None:
    secret = PropertyChange(("password",), "a", Special.SECRET)
    real.differing = {D: (secret,)}
    told = run(adopt.app, "--stack", "dev", "--json", "--dry-run").json
    assert (told["stack"], told["dry_run"], told["managed"]) == ("dev", True, 0)
    assert [(t["urn"], t["id"]) for t in told["adopted"]] == [(D, DATASET), (F, STORE)]
    assert [(t["urn"], t["fate"]) for t in told["to_create"]] == [(C, "not looked for")]
    [update] = told["to_update"]
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
