import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import export_metadata, import_dicom, lab, query_metadata
from scripts.common import clients, deploy, findings, grants, stack
from scripts.common.beginnings import Begun
from scripts.common.errors import ScriptError
from scripts.common.operations import Operation
from scripts.common.tables import Rows
from scripts.common.truth import Findings
from tests.unit.scripts.fakes import OPERATION, OUTPUTS, STORE, Ran

Run = Callable[..., Ran]
TRUE = Findings(405, 405, 99, 151, ["Cardiomegaly|Effusion"], [("No Finding", 151)])


class World:
    """What the phases found, and what they were asked for."""

    def __init__(self) -> None:
        self.findings = TRUE
        self.changes = {"create": 20}
        self.sent: list[tuple[str, str, str]] = []
        self.denials = 0

    def start_import(self, client: Any, store: str, source: str, say: Any) -> str:
        if self.denials:
            self.denials -= 1
            raise ScriptError("storage.objects.list denied", details={"code": 403})
        self.sent.append(("import", store, source))
        return OPERATION

    def start_export(
        self, client: Any, store: str, table: Any, disposition: str, say: Any
    ) -> Begun:
        self.sent.append(("export", table.uri, str(disposition)))
        return Begun(OPERATION)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    world = World()
    engine = SimpleNamespace(version="3.258.0", source="path")
    place = SimpleNamespace(environment={}, engine=engine, gcp_plugin="stand-in")

    def up(name: str, environment: Any, *, report: Any, color: bool) -> deploy.Deployment:
        report("Updating (local)")
        return deploy.Deployment(23, world.changes, OUTPUTS)

    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    monkeypatch.setattr(stack, "enter", lambda name, report: place)
    monkeypatch.setattr(deploy, "up", up)
    for name in ("healthcare", "big_query"):
        monkeypatch.setattr(clients, name, lambda *_: None)
    monkeypatch.setattr(clients, "dicom_web", lambda store: (None, ""))
    monkeypatch.setattr(import_dicom, "start", world.start_import)
    monkeypatch.setattr(export_metadata, "start", world.start_export)
    monkeypatch.setattr(lab, "carry_through", lambda *_, **__: Operation(OPERATION, done=True))
    monkeypatch.setattr(query_metadata, "ask", lambda client, question: Rows(["a"], [{"a": "x"}]))
    monkeypatch.setattr(findings, "find", lambda *_, **__: world.findings)
    return world


def _summary(folder: Path) -> Any:
    return json.loads((folder / "summary.json").read_text("utf-8"))


def test_summary_for_programs(world: World, run: Run, tmp_path: Path) -> None:
    ran = run(lab.app)
    assert ran.code == 0
    shape = _summary(tmp_path)
    seconds = shape.pop("seconds")
    assert list(seconds) == ["place", "up", "import", "export", "queries", "total"]
    assert all(isinstance(value, float) for value in seconds.values())
    assert shape == {
        "ok": True,
        "problems": [],
        "stack": "local",
        "engine": {"version": "3.258.0", "source": "path"},
        "gcp_plugin": "stand-in",
        "project": "local-project",
        "store": STORE,
        "table": "bq://local-project.dataset1.dicomstore1",
        "source": "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/000000*.dcm",
        "instances": 405,
        "rows": 405,
        "patients": 99,
        "no_finding_rows": 151,
        "patient_88": ["Cardiomegaly|Effusion"],
        "resources": 23,
        "changes": {"create": 20},
    }


def test_summary_for_people(world: World, run: Run) -> None:
    out = run(lab.app).out
    assert "Updating (local)" in out
    assert "Pulumi 3.258.0 (path)" in out
    assert "405 in the store, 405 rows in the table" in out
    assert "make lab-down" in out
    assert "-m engine env --stack local" in out
    assert "All is as it must be." in out


def test_the_export_replaces_so_that_a_second_run_doubles_nothing(world: World, run: Run) -> None:
    assert run(lab.app).code == 0
    assert world.sent[1] == ("export", "bq://local-project.dataset1.dicomstore1", "truncate")


def test_a_wrong_figure_fails_with_its_name(world: World, run: Run, tmp_path: Path) -> None:
    world.findings = replace(TRUE, patients=98)
    ran = run(lab.app)
    assert ran.code == 1
    assert "patients: 98 instead of 99" in ran.err
    assert "All is as it must be" not in ran.out
    assert _summary(tmp_path)["ok"] is False


def test_other_files_have_no_known_truth(world: World, run: Run) -> None:
    world.findings = Findings(7, 7, 1, 0, [], [])
    assert run(lab.app, "--source", "gs://mine/**").code == 0
    assert world.sent[0] == ("import", STORE, "gs://mine/**")


def test_a_failed_run_leaves_no_summary_of_an_earlier_one(
    world: World, run: Run, tmp_path: Path
) -> None:
    assert run(lab.app).code == 0
    world.changes = {"same": 23}
    world.denials = 1
    ran = run(lab.app)
    assert ran.code == 1
    assert "storage.objects.list denied" in ran.err
    assert not (tmp_path / "summary.json").exists()


def test_fresh_grants_are_given_time(world: World, run: Run, naps: list[float]) -> None:
    world.denials = 2
    ran = run(lab.app)
    assert ran.code == 0
    assert ran.err.count("The grants are new and may not be felt yet: trying again.") == 2
    assert len(naps) == 2


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "PATIENCE_SECONDS", 0.0)

    def denied() -> None:
        raise ScriptError("denied", details={"code": 7})

    with pytest.raises(ScriptError, match="denied"):
        grants.patient_with_grants(denied, fresh=True, say=lambda _: None)


def test_another_store(world: World, run: Run) -> None:
    assert run(lab.app, "--store", "dicomstore2").code == 0
    assert world.sent[0][1].endswith("/dicomStores/dicomstore2")
    assert world.sent[1][1].endswith(".dicomstore2")


def test_json_is_the_summary(world: World, run: Run, tmp_path: Path) -> None:
    ran = run(lab.app, "--json")
    assert ran.code == 0
    assert ran.json == _summary(tmp_path)


def test_a_bad_source_is_refused_before_anything_is_deployed(world: World, run: Run) -> None:
    ran = run(lab.app, "--source", "gs://b/**/x")
    assert ran.code == 2
    assert "Updating" not in ran.out
