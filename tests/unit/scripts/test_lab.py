import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import lab
from scripts.data import bulk, dicom_import, metadata_export, metadata_query
from scripts.gsp615 import lab as lab_run
from scripts.gsp615 import patient_answers, patients, results
from scripts.gsp615.expected import Findings
from scripts.gsp615.patients import PatientsFigures
from scripts.lib import stack
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, iam_propagation
from scripts.lib.google.bigquery import Rows
from scripts.lib.google.operations import Operation
from scripts.lib.google.start_operation import StartedOperation
from scripts.lib.pulumi_results import UpdateResult
from scripts.lib.pulumi_stack import PulumiStack
from scripts.stacks import deploy
from tests.unit.scripts.fakes import OPERATION, OUTPUTS, STORE, Ran

Run = Callable[..., Ran]
TRUE = Findings(405, 405, 99, 151, ["Cardiomegaly|Effusion"], [("No Finding", 151)])


class World:
    """Fake phases: their results and their requests."""

    def __init__(self) -> None:
        self.findings = TRUE
        self.changes = {"create": 20, "same": 3, "delete": 1}
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
    ) -> StartedOperation:
        self.sent.append(("export", table.uri, str(disposition)))
        return StartedOperation(OPERATION)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    world = World()
    engine = SimpleNamespace(version="3.258.0", source="path")
    environment = SimpleNamespace(environment={}, engine=engine, gcp_plugin="stand-in")

    def up(_: PulumiStack, report: Any, *, color: bool) -> UpdateResult:
        report("Updating (local)")
        return UpdateResult(world.changes, OUTPUTS)

    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    monkeypatch.setattr(stack, "enter", lambda name, report: environment)
    monkeypatch.setattr(deploy, "up", up)
    for name in ("healthcare", "big_query"):
        monkeypatch.setattr(clients, name, lambda *_: None)
    monkeypatch.setattr(clients, "dicom_web", lambda store: (None, ""))
    monkeypatch.setattr(dicom_import, "start", world.start_import)
    monkeypatch.setattr(metadata_export, "start", world.start_export)
    monkeypatch.setattr(
        lab_run, "follow_operation", lambda *_, **__: Operation(OPERATION, done=True)
    )
    monkeypatch.setattr(metadata_query, "ask", lambda client, question: Rows(["a"], [{"a": "x"}]))
    monkeypatch.setattr(results, "find", lambda *_, **__: world.findings)
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
        "changes": {"create": 20, "same": 3, "delete": 1},
    }


def test_summary_for_people(world: World, run: Run) -> None:
    out = run(lab.app).out
    assert "Updating (local)" in out
    assert "Pulumi 3.258.0 (path)" in out
    assert "405 in the store, 405 rows in the table" in out
    assert "make lab-down" in out
    assert "-m engine env --stack local" in out
    assert "All checks passed." in out


def test_the_export_replaces_so_that_a_second_run_doubles_nothing(world: World, run: Run) -> None:
    assert run(lab.app).code == 0
    assert world.sent[1] == ("export", "bq://local-project.dataset1.dicomstore1", "truncate")


def test_a_wrong_figure_fails_with_its_name(world: World, run: Run, tmp_path: Path) -> None:
    world.findings = replace(TRUE, patients=98)
    ran = run(lab.app)
    assert ran.code == 1
    assert "patients: 98 instead of 99" in ran.err
    assert "All checks passed" not in ran.out
    assert _summary(tmp_path)["ok"] is False


def test_other_files_have_no_known_truth(world: World, run: Run) -> None:
    world.findings = Findings(7, 7, 1, 0, [], [])
    assert run(lab.app, "--source", "gs://mine/**").code == 0
    assert world.sent[0] == ("import", STORE, "gs://mine/**")


FHIR_STORE = STORE.replace("dicomStores/dicomstore1", "fhirStores/fhirstore1")


@pytest.fixture
def second_act(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stack with a FHIR store, and the figures of the second act."""
    figures = {"resources": dict(patient_answers.RESOURCES)}

    def up(*_: Any, **__: Any) -> UpdateResult:
        return UpdateResult({}, {**OUTPUTS, "fhirStores": {"fhirstore1": FHIR_STORE}})

    def run_on(store: str, work: bulk.Work, *_: Any) -> None:
        world.sent.append((work.method, store, work.location))

    monkeypatch.setattr(deploy, "up", up)
    monkeypatch.setattr(bulk, "run_on", run_on)
    answers = [*patient_answers.ANSWERS]
    monkeypatch.setattr(
        patients,
        "figures",
        lambda *_: PatientsFigures(FHIR_STORE, figures["resources"], answers),
    )
    return figures


def test_the_second_act(second_act: dict[str, Any], world: World, run: Run, tmp_path: Path) -> None:
    ran = run(lab.app, "--fhir")
    assert ran.code == 0, ran.err
    assert "163 Condition, 405 ImagingStudy" in ran.out
    assert world.sent[2:] == [
        ("Import", FHIR_STORE, "gs://synthetic-chest-xray-patients/*.ndjson"),
        ("Export", FHIR_STORE, "bq://local-project.dataset1"),
    ]
    shape = _summary(tmp_path)
    assert shape["fhir"]["store"] == FHIR_STORE
    assert shape["fhir"]["answers"][2] == [["female", 67], ["male", 47]]
    phases = ["fhir_import", "fhir_export", "fhir_queries", "total"]
    assert list(shape["seconds"])[-4:] == phases


def test_a_wrong_figure_of_the_second_act_fails(second_act: dict[str, Any], run: Run) -> None:
    second_act["resources"]["Patient"] = 98
    ran = run(lab.app, "--fhir")
    assert ran.code == 1
    assert "rows of the table Patient: 98 instead of 99" in ran.err


def test_other_patients_have_no_known_answers(
    second_act: dict[str, Any], world: World, run: Run
) -> None:
    second_act["resources"]["Patient"] = 3
    assert run(lab.app, "--fhir-source", "gs://mine/*.ndjson").code == 0
    assert world.sent[2] == ("Import", FHIR_STORE, "gs://mine/*.ndjson")


def test_a_stack_without_fhir_stores_has_no_second_act(world: World, run: Run) -> None:
    ran = run(lab.app, "--fhir", "--stack", "dev")
    assert ran.code == 2
    assert "Stack 'dev' has no FHIR store, which --fhir needs." in ran.err
    assert "fhirStores in Pulumi.dev.yaml" in ran.err
    assert world.sent == []


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


def test_fresh_grants_are_given_time(world: World, run: Run, delays: list[float]) -> None:
    world.denials = 2
    ran = run(lab.app)
    assert ran.code == 0
    assert ran.err.count("New IAM grants may not have propagated yet; retrying.") == 2
    assert len(delays) == 2


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_propagation, "DEADLINE_SECONDS", 0.0)

    def denied() -> None:
        raise ScriptError("denied", details={"code": 7})

    with pytest.raises(ScriptError, match="denied"):
        iam_propagation.retry_while_denied(denied, fresh=True, report=lambda _: None)


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
