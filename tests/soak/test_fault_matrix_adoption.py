"""Every call that adoption makes meets every fault.

The services are the emulator's, the engine is on paper. Adoption changes nothing there, so all
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

from emulator.endpoints import PROJECT
from emulator.pytest_plugin import HealthcareEmulator
from scripts import adopt
from scripts.common import retrying, stack
from tests.soak.faulty import FAULTS, Fault, met
from tests.soak.standing import LOCATION, ROLE, Standing
from tests.unit.scripts.adoption import engine
from tests.unit.scripts.adoption.engine import Paper, urn
from tests.unit.scripts.fakes import Ran

pytestmark = pytest.mark.sockets

_SHARE = 2
ANNA = "user:anna@example.org"
_ENDS: Counter[str] = Counter()
_KINDS: dict[str, tuple[str, str]] = {
    "service": (engine.SERVICE, "serviceusage.services.get"),
    "dataset": (engine.DATASET, "healthcare.projects.locations.datasets.get"),
    "store": (
        "gcp:healthcare/dicomStore:DicomStore",
        "healthcare.projects.locations.datasets.dicomStores.get",
    ),
    "topic": ("gcp:pubsub/topic:Topic", "pubsub.projects.topics.get"),
    "tables": ("gcp:bigquery/dataset:Dataset", "bigquery.datasets.get"),
    "files": ("gcp:storage/bucket:Bucket", "storage.buckets.get"),
    "grant": (engine.MEMBER, "cloudresourcemanager.projects.getIamPolicy"),
}
"""Resource -> its type, and the call that finds it."""


@pytest.fixture(scope="module")
def standing(healthcare_emulator: HealthcareEmulator) -> Standing:
    """All of it, made by hand."""
    made = Standing(healthcare_emulator.url, PROJECT, ANNA)
    made.make()
    return made


@pytest.fixture
def paper(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> Paper:
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
    made = Paper({_urn(name): {"project": PROJECT, **wanted} for name, wanted in inputs.items()})

    @contextmanager
    def scratch(real: Paper, state: Any) -> Iterator[Paper]:
        del state
        yield Paper(real.program, set(real.kept))

    monkeypatch.setattr(stack, "enter", lambda *_: SimpleNamespace(environment={}))
    monkeypatch.setattr(adopt, "open_at", lambda *_: made)
    monkeypatch.setattr(adopt, "scratch", scratch)
    return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    if not soak:
        monkeypatch.setattr(retrying, "INITIAL_SECONDS", 0.01)


def _urn(name: str) -> str:
    return urn(_KINDS[name][0], name)


def _run() -> Ran:
    done = CliRunner().invoke(adopt.app, ["--stack", "dev", "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def _cells(*, soak: bool) -> list[tuple[str, Fault]]:
    """All of them; in the short form each fault at every other call."""
    places = itertools.product(enumerate(_KINDS), enumerate(FAULTS))
    return [
        (name, fault)
        for (row, name), (column, fault) in places
        if soak or (row + column) % _SHARE == 0
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        cells = _cells(soak=metafunc.config.getoption("--soak"))
        names = [f"{name}, {fault.name}" for name, fault in cells]
        metafunc.parametrize(("name", "fault"), cells, ids=names)


def test_cell(name: str, fault: Fault, standing: Standing, paper: Paper) -> None:
    _, method = _KINDS[name]

    ran, broken = met(standing.url, method, fault.body, _run)

    assert broken > 0
    everything = set(paper.program)
    if fault.passing:
        assert ran.code == 0, ran.err
        assert broken == (fault.broken or broken)
        assert paper.kept == everything
    elif fault.name == "404":
        # What the service says is not there would be created: the rest comes under the stack.
        assert ran.code == 0, ran.err
        assert paper.kept == everything - {_urn(name)}
        told = ran.json["to_create"]
        assert [(each["urn"], each["fate"]) for each in told] == [(_urn(name), "missing")]
    else:
        _check_error(fault, ran, paper)
    _ENDS["came_through" if ran.code == 0 else "explained"] += 1
    # It only ever looks.
    assert standing.there() == set(standing.paths())
    assert standing.granted()


def _check_error(fault: Fault, ran: Ran, paper: Paper) -> None:
    """It names culprit and cure, and nothing was taken over; the next run takes it all."""
    error = ran.json["error"]
    assert ran.code == error["exit_code"] == 1
    assert error["message"].startswith(("Looking for ", "Reading the policy of "))
    assert fault.message in error["message"]
    assert error["code"] == fault.body["status"]
    assert error["cure"]
    assert (paper.kept, paper.log) == (set(), [])
    again = _run()
    assert again.code == 0, again.err
    assert paper.kept == set(paper.program)


@pytest.mark.parametrize("name", _KINDS)
def test_a_service_that_stays_away_is_given_up_in_time(
    name: str, standing: Standing, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(retrying.call.__kwdefaults__ or {}, "deadline", 1.0)
    fault = Fault("503", {"status": 503}, passing=False)

    ran, broken = met(standing.url, _KINDS[name][1], fault.body, _run)

    assert broken > 1
    _check_error(fault, ran, paper)


def test_the_matrix_was_walked(tell: Callable[..., None], soak: bool) -> None:
    cells = len(_cells(soak=soak))
    tell("adoption, calls x faults", cells=cells, lost=cells - _ENDS.total(), **_ENDS)
