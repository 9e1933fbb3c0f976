"""Every call that adoption makes meets every fault.

The services are the emulator's, the engine is a fake. Adoption changes nothing there, so all
cells look at the same resources; what counts is what it takes over, and that it is all or nothing.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.core.settings import PROJECT
from emulator.pytest_plugin import HealthcareEmulator
from scripts import adopt
from scripts.adoption import command
from scripts.lib import stack
from scripts.lib.google import retry
from tests.soak.faulty import FAULTS, Fault, met
from tests.soak.standing import LOCATION, ROLE, EmulatorState
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.adoption import urns
from tests.unit.scripts.adoption.urns import urn
from tests.unit.scripts.fakes import Ran

pytestmark = pytest.mark.sockets

_SHARE = 2
ANNA = "user:anna@example.org"
_ENDS: Counter[str] = Counter()
_TYPES: dict[str, tuple[str, str]] = {
    "service": (urns.SERVICE, "serviceusage.services.get"),
    "dataset": (urns.DATASET, "healthcare.projects.locations.datasets.get"),
    "store": (
        "gcp:healthcare/dicomStore:DicomStore",
        "healthcare.projects.locations.datasets.dicomStores.get",
    ),
    "topic": ("gcp:pubsub/topic:Topic", "pubsub.projects.topics.get"),
    "tables": ("gcp:bigquery/dataset:Dataset", "bigquery.datasets.get"),
    "files": ("gcp:storage/bucket:Bucket", "storage.buckets.get"),
    "grant": (urns.MEMBER, "cloudresourcemanager.projects.getIamPolicy"),
}
"""Resource -> its type, and the call that finds it."""


@pytest.fixture(scope="module")
def standing(healthcare_emulator: HealthcareEmulator) -> EmulatorState:
    """Resources of every type, created by hand."""
    fresh = EmulatorState(healthcare_emulator.url, PROJECT, ANNA)
    fresh.make()
    return fresh


@pytest.fixture
def engine(standing: EmulatorState, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A stack that has taken nothing over yet, and wants all of it."""
    inputs: dict[str, dict[str, Any]] = {
        "service": {"service": "healthcare.googleapis.com"},
        "dataset": {"location": LOCATION, "name": "images"},
        "store": {"dataset": standing.dataset, "name": "scans"},
        "topic": {"name": "news"},
        "tables": {"datasetId": "tables"},
        "files": {"name": standing.bucket},
        "grant": {"role": ROLE, "member": ANNA},
    }
    program = {_urn(name): {"project": PROJECT, **wanted} for name, wanted in inputs.items()}
    fresh = FakeEngine("dev", wanted=program)
    fresh.project_id = PROJECT

    @contextmanager
    def scratch(real: FakeEngine, state: Any) -> Iterator[FakeEngine]:
        del state
        yield real.copy()

    monkeypatch.setattr(stack, "enter", lambda *_: SimpleNamespace(environment={}))
    monkeypatch.setattr(command, "_open", lambda *_: fresh)
    monkeypatch.setattr(command, "scratch", scratch)
    return fresh


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    if not soak:
        monkeypatch.setattr(retry, "INITIAL_SECONDS", 0.01)


def _urn(name: str) -> str:
    return urn(_TYPES[name][0], name)


def _run() -> Ran:
    done = CliRunner().invoke(adopt.app, ["--stack", "dev", "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def _cells(*, soak: bool) -> list[tuple[str, Fault]]:
    """All of them; in the short form each fault at every other call."""
    positions = itertools.product(enumerate(_TYPES), enumerate(FAULTS))
    return [
        (name, fault)
        for (row, name), (column, fault) in positions
        if soak or (row + column) % _SHARE == 0
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        cells = _cells(soak=metafunc.config.getoption("--soak"))
        names = [f"{name}, {fault.name}" for name, fault in cells]
        metafunc.parametrize(("name", "fault"), cells, ids=names)


def test_cell(name: str, fault: Fault, standing: EmulatorState, engine: FakeEngine) -> None:
    _, method = _TYPES[name]

    ran, broken = met(standing.url, method, fault.body, _run)

    assert broken > 0
    everything = set(engine.wanted)
    if fault.passing:
        assert ran.code == 0, ran.err
        assert broken == (fault.broken or broken)
        assert engine.kept == everything
    elif fault.name == "404":
        # What the service says is not there would be created: the rest comes under the stack.
        assert ran.code == 0, ran.err
        assert engine.kept == everything - {_urn(name)}
        created = ran.json["to_create"]
        assert [(each["urn"], each["fate"]) for each in created] == [(_urn(name), "missing")]
    else:
        _check_error(fault, ran, engine)
    _ENDS["came_through" if ran.code == 0 else "explained"] += 1
    # It only ever looks.
    assert standing.there() == set(standing.paths())
    assert standing.granted()


def _check_error(fault: Fault, ran: Ran, engine: FakeEngine) -> None:
    """The error names culprit and hint; nothing was taken over; the next run takes it all."""
    error = ran.json["error"]
    assert ran.code == error["exit_code"] == 1
    assert error["message"].startswith(("Looking for ", "Reading the policy of "))
    assert fault.message in error["message"]
    assert error["code"] == fault.body["status"]
    assert error["cure"]
    assert (engine.kept, engine.calls) == (set(), [])
    again = _run()
    assert again.code == 0, again.err
    assert engine.kept == set(engine.wanted)


@pytest.mark.parametrize("name", _TYPES)
def test_a_service_that_stays_away_is_given_up_in_time(
    name: str, standing: EmulatorState, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(retry.call.__kwdefaults__ or {}, "deadline", 1.0)
    fault = Fault("503", {"status": 503}, passing=False)

    ran, broken = met(standing.url, _TYPES[name][1], fault.body, _run)

    assert broken > 1
    _check_error(fault, ran, engine)


def test_the_matrix_was_walked(report: Callable[..., None], soak: bool) -> None:
    cells = len(_cells(soak=soak))
    report("adoption, calls x faults", cells=cells, lost=cells - _ENDS.total(), **_ENDS)
