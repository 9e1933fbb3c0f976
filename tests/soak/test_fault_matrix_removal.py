"""Every call that tear-down makes meets every fault.

The services are the emulator's; the engine is a fake, and destroys by itself and without a fault,
so that all that goes wrong goes wrong in the script. What a run could not end, the next one does.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.pytest_plugin import HealthcareEmulator
from scripts import teardown
from scripts.destroy import command
from scripts.lib import stack
from scripts.lib.google import operations, retry
from tests.soak.faulty import FAULTS, Fault, met
from tests.soak.standing import ROLE, EmulatorState
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.lab_stack import PROVIDER, ROOT, resource
from tests.unit.scripts.fakes import Ran

pytestmark = pytest.mark.sockets

IMAGES = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/*.dcm"
MORE_THAN_RUN_AT_ONCE = 6
_HEALTHCARE = "healthcare.projects.locations.datasets"
CANCEL = f"{_HEALTHCARE}.operations.cancel"
READ_POLICY = "cloudresourcemanager.projects.getIamPolicy"
WRITE_POLICY = "cloudresourcemanager.projects.setIamPolicy"
BEFORE = {
    f"{_HEALTHCARE}.operations.list": "listing the operations of",
    f"{_HEALTHCARE}.dicomStores.list": "listing dicomStores of",
    "bigquery.tables.list": "listing the tables of",
    "bigquery.tables.delete": "deleting BigQuery table",
    "storage.objects.list": "listing the objects of bucket",
}
"""Calls before anything is destroyed, with what an error of theirs says was done."""
AFTER = {
    READ_POLICY: "reading the policy of",
    WRITE_POLICY: f"removing {ROLE} for",
    f"{_HEALTHCARE}.get": "looking for projects/",
    "pubsub.projects.topics.get": "looking for projects/",
    "bigquery.datasets.get": "looking for BigQuery dataset",
    "storage.buckets.get": "looking for bucket",
}
CALLS = {**BEFORE, CANCEL: "", **AFTER}
_SHARE = 4
_SLOW = "503 once in 2"
"""The one fault that the slow call meets in the short form."""
AWAY = ("bigquery.tables.list", WRITE_POLICY)
"""Those that stay away in the short form."""
_NUMBERS = itertools.count(1)
_ENDS: Counter[str] = Counter()


class OnEmulator(FakeEngine):
    """A fake engine whose resources are the emulator's."""

    def __init__(self, standing: EmulatorState) -> None:
        super().__init__()
        self.delete = self._delete
        self.standing = standing
        grant = {"project": standing.project, "role": ROLE, "member": f"user:{_person(standing)}"}
        provider = {
            "urn": PROVIDER,
            "type": "pulumi:providers:gcp",
            "custom": True,
            "id": "1",
            "inputs": {"project": standing.project},
        }
        emptied = {"datasetId": "tables", "deleteContentsOnDestroy": True}
        owned = {"project": standing.project, "name": standing.bucket}
        self.resources = [
            {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False},
            provider,
            resource("dataset", "gcp:healthcare/dataset:Dataset", standing.dataset),
            resource("store", "gcp:healthcare/dicomStore:DicomStore", standing.store),
            resource("topic", "gcp:pubsub/topic:Topic", standing.topic),
            resource(
                "tables", "gcp:bigquery/dataset:Dataset", standing.bigquery_dataset, **emptied
            ),
            resource("files", "gcp:storage/bucket:Bucket", standing.bucket, **owned),
            resource(
                "grant", "gcp:projects/iAMMember:IAMMember", " ".join(grant.values()), **grant
            ),
        ]

    def _delete(self, body: dict[str, Any]) -> None:
        path = self.standing.paths().get(body.get("id", ""))
        if path:
            query = "?deleteContents=true" if path.startswith("bigquery/") else ""
            self.standing.call("DELETE", f"{path}{query}")


def _person(standing: EmulatorState) -> str:
    return f"{standing.project}@example.org"


@pytest.fixture
def standing(healthcare_emulator: HealthcareEmulator) -> EmulatorState:
    """All of it, in a project of its own; the account that the grant was for is deleted."""
    project = f"removal-{next(_NUMBERS)}"
    member = f"deleted:user:{project}@example.org?uid=1"
    fresh = EmulatorState(healthcare_emulator.url, project, member)
    fresh.make()
    fresh.add_table()
    return fresh


@pytest.fixture
def engine(standing: EmulatorState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OnEmulator:
    """The stack of these resources."""
    found = OnEmulator(standing)
    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    monkeypatch.setattr(stack, "enter", lambda name, report: SimpleNamespace(environment={}))
    monkeypatch.setattr(command, "PulumiStack", lambda *_: found)
    monkeypatch.setattr(FakeEngine, "project", "p")
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    if not soak:
        monkeypatch.setattr(retry, "INITIAL_SECONDS", 0.01)
        monkeypatch.setattr(operations, "INITIAL_POLL_SECONDS", 0.02)


def _run() -> Ran:
    done = CliRunner().invoke(teardown.app, ["--json", "--keep-running"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def _cells(*, soak: bool) -> list[tuple[str, Fault]]:
    """All of them; in the short form each fault at some calls."""
    positions = itertools.product(enumerate(CALLS), enumerate(FAULTS))
    return [
        (call, fault)
        for (row, call), (column, fault) in positions
        if soak or (fault.name == _SLOW if call == CANCEL else (row + column) % _SHARE == 0)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    soak = metafunc.config.getoption("--soak")
    if "fault" in metafunc.fixturenames:
        cells = _cells(soak=soak)
        names = [f"{call}, {fault.name}" for call, fault in cells]
        metafunc.parametrize(("call", "fault"), cells, ids=names)
    elif "call" in metafunc.fixturenames:
        metafunc.parametrize("call", list(CALLS) if soak else AWAY)


def _passes(call: str, fault: Fault) -> bool:
    """Whether a run comes through: what is not there need not be torn down."""
    return fault.passing or call == CANCEL or (fault.name == "404" and call != WRITE_POLICY)


def test_cell(call: str, fault: Fault, standing: EmulatorState, engine: OnEmulator) -> None:
    if call == CANCEL:
        _begin(standing)
    began = time.monotonic()

    ran, broken = met(standing.url, call, fault.body, _run)

    assert broken >= fault.broken
    assert broken > 0
    if _passes(call, fault):
        assert ran.code == 0, ran.err
        # The library looks at a bucket by itself as well, in a thread, when it lists objects.
        assert time.monotonic() - began >= fault.seconds or call == "storage.buckets.get"
        _ENDS["came_through"] += 1
    else:
        _check_error(call, fault, ran, engine)
        _ENDS["explained"] += 1
    # Of a policy that is said not to be there, nothing is taken out.
    _check_gone(standing, engine, granted=(call, fault.name) == (READ_POLICY, "404"))


def _begin(standing: EmulatorState) -> None:
    for _ in range(MORE_THAN_RUN_AT_ONCE):
        standing.call("POST", f"v1/{standing.store}:import", {"gcsSource": {"uri": IMAGES}})


def _check_error(call: str, fault: Fault, ran: Ran, engine: OnEmulator) -> None:
    """The error names culprit and hint, nothing is lost, and the next run comes to the same end."""
    error = ran.json["error"]
    assert ran.code == error["exit_code"] == 1
    assert CALLS[call].lower() in error["message"].lower()
    assert fault.message in error["message"]
    assert error["code"] == fault.body["status"]
    assert error["cure"]
    if call in BEFORE:
        assert "destroy" not in engine.calls
        assert engine.standing.there() == set(engine.standing.paths())
    again = _run()
    assert again.code == 0, again.err


def _check_gone(standing: EmulatorState, engine: OnEmulator, *, granted: bool) -> None:
    assert engine.calls.count("destroy") == 1
    assert standing.there() == set()
    assert standing.granted() is granted
    # What others are granted is as it was.
    assert next(one["members"] for one in standing.bindings()) == ["user:you@example.com"]


def test_a_service_that_stays_away_is_given_up_in_time(
    call: str, standing: EmulatorState, engine: OnEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = 1.0
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", patience)
    monkeypatch.setitem(retry.call.__kwdefaults__ or {}, "deadline", patience)
    if call == CANCEL:
        _begin(standing)
    fault = Fault("503", {"status": 503}, passing=False)

    ran, broken = met(standing.url, call, fault.body, _run)

    assert broken > 1
    if call == CANCEL:
        assert ran.code == 0, ran.err
    else:
        _check_error(call, fault, ran, engine)
    _check_gone(standing, engine, granted=False)


def test_the_matrix_was_walked(report: Callable[..., None], soak: bool) -> None:
    cells = len(_cells(soak=soak))
    report("tear-down, calls x faults", cells=cells, lost=cells - _ENDS.total(), **_ENDS)
