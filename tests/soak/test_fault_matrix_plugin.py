"""The calls behind `pulumi up` meet every fault, through the stand-in of the gcp plugin."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.core.settings import PROJECT
from emulator.pytest_plugin import HealthcareEmulator
from engine.standin.config import SERVICES
from engine.standin.http import Api
from engine.standin.provider import StandIn
from tests.soak.faulty import FAULTS, Fault, met
from tests.support import http
from tests.support.plugin import Engine, RefusedError

pytestmark = pytest.mark.sockets

LOCATION = "us-central1"
VERBS = ("create", "get", "delete")
NOT_YET = "404 not initialized"
_NUMBERS = itertools.count(1)
_ENDS: Counter[str] = Counter()


@dataclass(frozen=True)
class TestedType:
    """A type of resource.

    Attributes:
        type: Pulumi's type token.
        inputs: of a new one, by its name.
        path: where it is read, by name.
        methods: of the API, as VERBS.
    """

    type: str
    inputs: Callable[[str], dict[str, Any]]
    path: str
    methods: tuple[str, ...]


Cell = tuple[TestedType, str, Fault]
_DATASETS = "healthcare.projects.locations.datasets"
_PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
DATASET = "gcp:healthcare/dataset:Dataset"
TYPE_NAMES = (
    TestedType(
        DATASET,
        lambda name: {"name": name, "location": LOCATION},
        f"v1/{_PARENT}/datasets/{{name}}",
        tuple(f"{_DATASETS}.{verb}" for verb in ("create", "get", "delete")),
    ),
    TestedType(
        "gcp:healthcare/dicomStore:DicomStore",
        lambda name: {"name": name, "dataset": f"{_PARENT}/datasets/plugin"},
        f"v1/{_PARENT}/datasets/plugin/dicomStores/{{name}}",
        tuple(f"{_DATASETS}.dicomStores.{verb}" for verb in ("create", "get", "delete")),
    ),
    TestedType(
        "gcp:pubsub/topic:Topic",
        lambda name: {"name": name},
        f"v1/projects/{PROJECT}/topics/{{name}}",
        tuple(f"pubsub.projects.topics.{verb}" for verb in ("create", "get", "delete")),
    ),
    TestedType(
        "gcp:bigquery/dataset:Dataset",
        lambda name: {"datasetId": name, "location": "US"},
        f"bigquery/v2/projects/{PROJECT}/datasets/{{name}}",
        tuple(f"bigquery.datasets.{verb}" for verb in ("insert", "get", "delete")),
    ),
    TestedType(
        "gcp:storage/bucket:Bucket",
        lambda name: {"name": name, "location": "US"},
        "storage/v1/b/{name}",
        tuple(f"storage.buckets.{verb}" for verb in ("insert", "get", "delete")),
    ),
)


@pytest.fixture(scope="module")
def engine(healthcare_emulator: HealthcareEmulator) -> Engine:
    """An engine whose plugin is configured for the emulator, with a dataset to put stores into."""
    engine = Engine(StandIn(Api))
    environment = healthcare_emulator.environment
    endpoints = {setting: environment[variable] for setting, variable in SERVICES.values()}
    engine.configure(project=PROJECT, **endpoints)
    engine.create(DATASET, {"name": "plugin", "location": LOCATION})
    return engine


@dataclass(frozen=True)
class End:
    """How the creation, a read and the deletion of a resource ended.

    Attributes:
        steps: those that went well.
        error: what the engine showed of the one that did not.
    """

    steps: tuple[str, ...]
    error: str = ""


def _passes(tested: TestedType, fault: Fault) -> bool:
    """Whether Google's provider asks again; for one that is not initialized: if it is a dataset."""
    return fault.passing and (fault.name != NOT_YET or tested.type == DATASET)


def _life(engine: Engine, tested: TestedType, name: str) -> End:
    steps: list[str] = []
    try:
        id_, state = engine.create(tested.type, tested.inputs(name))
        steps.append("create")
        read, _, _ = engine.read(tested.type, id_, state)
        steps.append("read" if read else "gone")
        engine.delete(tested.type, id_, state)
        steps.append("delete")
    except RefusedError as error:
        return End((*steps,), error.text)
    return End((*steps,))


def _cells(*, soak: bool) -> list[Cell]:
    """All of them; in the short form each fault at one call of each type."""
    cells = [(tested, verb, fault) for tested in TYPE_NAMES for verb in VERBS for fault in FAULTS]
    return [
        (tested, verb, fault)
        for tested, verb, fault in cells
        if soak
        or (TYPE_NAMES.index(tested) + FAULTS.index(fault)) % len(VERBS) == VERBS.index(verb)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        cells = _cells(soak=metafunc.config.getoption("--soak"))
        names = [f"{tested.type}, {verb}, {fault.name}" for tested, verb, fault in cells]
        metafunc.parametrize(("tested", "verb", "fault"), cells, ids=names)


def test_cell(
    tested: TestedType,
    verb: str,
    fault: Fault,
    engine: Engine,
    healthcare_emulator: HealthcareEmulator,
) -> None:
    name, url = f"cell{next(_NUMBERS)}", healthcare_emulator.url
    began = time.monotonic()

    method = tested.methods[VERBS.index(verb)]
    end, broken = met(url, method, fault.body, lambda: _life(engine, tested, name))

    assert broken > 0
    there = http.get(f"{url}/{tested.path.format(name=name)}").status_code == 200
    error = _expected_error(tested, verb, fault)
    if error is None:
        assert end == End(("create", "read", "delete"))
        assert time.monotonic() - began >= fault.seconds
        # What is said to be gone counts as deleted, as with Google's provider.
        said_gone = verb == "delete" and not _passes(tested, fault)
        assert there is said_gone
        assert broken == (1 if said_gone else fault.broken or broken)
    else:
        assert broken == 1
        assert error.lower() in end.error.lower()
        assert end.steps == (("create", "read") if verb == "delete" else ())
        # A resource that was made is never left unmentioned.
        assert there is (verb != "create" or "already exists" in end.error.lower())
    _ENDS["came_through" if error is None else "explained"] += 1


def _expected_error(tested: TestedType, verb: str, fault: Fault) -> str | None:
    """The message that the engine must get, if the fault does not pass."""
    status = fault.body.get("status")
    if "cut" in fault.body and verb == "create":
        return "already exists"
    if _passes(tested, fault) or (verb == "delete" and status == 404):
        return None
    if verb == "get":
        if status == 404:
            return "expected non-nil error with nil state during Create of"
        return f" was created, but: googleapi: Error {status}"
    doing = {"create": "creating", "delete": "deleting"}[verb]
    return f"Error {doing} {tested.type.rpartition(':')[2]}"


def test_the_matrix_was_walked(report: Callable[..., None], soak: bool) -> None:
    cells = len(_cells(soak=soak))
    report("gcp plugin, calls x faults", cells=cells, lost=cells - _ENDS.total(), **_ENDS)
