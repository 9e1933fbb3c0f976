"""Every call that the scripts make meets every fault: what Google says to try again is survived.

The fault is put in force, the script's own command line runs in process, and then three things are
looked at: how the script ended, how often the call was tried, and what is there afterwards.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from google.cloud import bigquery
from typer.testing import CliRunner

from emulator.pytest_plugin import HealthcareEmulator
from scripts import export_metadata, import_dicom, query_metadata, view_instance
from scripts.lib.google import clients, dicomweb, operations, retry, start_operation
from tests.soak.faulty import FAULTS, Fault, met
from tests.support import http
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000008?_000.dcm"
FILES = 10
PATIENT = "88"
DATASET = "matrix"
LOCATION = "us-central1"
_NUMBERS = itertools.count(1)
_ENDS: Counter[str] = Counter()
"""How the cells ended, once all was found as it has to be."""


@dataclass(frozen=True)
class Ran:
    """How a script ended."""

    code: int
    output: dict[str, Any]
    errors: str

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.output["error"]
        return error


@dataclass
class World:
    """The resources of a cell: a store, a table and a folder for pictures."""

    emulator: HealthcareEmulator
    store: str
    table: str
    folder: Path
    bigquery_client: bigquery.Client
    operations_before: set[str] = field(default_factory=set)

    @property
    def table_uri(self) -> str:
        return f"bq://{self.emulator.project}.{DATASET}.{self.table}"

    def script(self, app: typer.Typer, *arguments: str) -> Ran:
        store = self.store.rpartition("/")[2]
        names = ["--project", self.emulator.project, "--location", LOCATION]
        names += ["--dataset", DATASET, "--store", store, "--json"]
        done = CliRunner().invoke(app, [*arguments, *names])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, json.loads(done.stdout), done.stderr)

    def get(self, path: str) -> dict[str, Any]:
        answer = http.get(f"{self.emulator.url}/{path}", timeout=30).raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def operations(self) -> list[dict[str, Any]]:
        """The operations that the cell started."""
        dataset = self.store.partition("/dicomStores/")[0]
        found = self.get(f"v1/{dataset}/operations?pageSize=1000").get("operations", [])
        return [one for one in found if one["name"] not in self.operations_before]

    def wait(self) -> None:
        wait_until(lambda: all(one.get("done") for one in self.operations()), "an operation hangs")

    def instances(self) -> int:
        return int(self.get(f"v1/{self.store}:getDICOMStoreMetrics").get("instanceCount", 0))

    def rows(self) -> Counter[str]:
        """How many rows of the table each SOP Instance UID has; none if there is no table."""
        known = {table.table_id for table in self.bigquery_client.list_tables(DATASET)}
        if self.table not in known:
            return Counter()
        sql = f"SELECT SOPInstanceUID AS uid FROM `{DATASET}.{self.table}`"
        return Counter(row["uid"] for row in self.bigquery_client.query(sql).result())


@dataclass(frozen=True)
class Call:
    """A call of a script.

    Attributes:
        script: in words.
        method: as the discovery document names it.
        run: runs the script in a world.
        culprit: what the script's error has to name.
    """

    script: str
    method: str
    run: Callable[[World], Ran]
    culprit: str

    @property
    def starts(self) -> bool:
        """Whether it starts an operation."""
        return self.method.endswith((".import", ".export"))

    def expected(self, fault: Fault) -> Fault:
        """The meaning of a fault for this call."""
        if self.method.startswith("bigquery.") and fault.body.get("retry_after"):
            return replace(fault, seconds=0)  # BigQuery's own library goes by its own backoff
        if self.script == "export append" and self.starts and fault.body.get("status") == 500:
            # Google: only what may run twice is to be sent again.
            return replace(fault, passing=False, broken=1)
        if self.method == _LOOK and not fault.passing:
            # Only what is lost afterwards would miss it.
            return replace(fault, passing=True)
        return fault


def importing(world: World) -> Ran:
    return world.script(import_dicom.app, SOURCE)


def exporting(disposition: str) -> Callable[[World], Ran]:
    def run(world: World) -> Ran:
        table = ["--table", world.table_uri, "--write-disposition", disposition]
        return world.script(export_metadata.app, *table)

    return run


def querying(world: World) -> Ran:
    sql = f"SELECT COUNT(*) AS n FROM {world.table}"
    return world.script(query_metadata.app, "--table", world.table_uri, "--sql", sql)


def viewing(world: World) -> Ran:
    options = ["--patient", PATIENT, "--into", str(world.folder)]
    return world.script(view_instance.app, *options)


_STORES = "healthcare.projects.locations.datasets.dicomStores"
_OPERATION = "healthcare.projects.locations.datasets.operations.get"
_LOOK = "healthcare.projects.locations.datasets.operations.list"
_RENDERED = f"{_STORES}.studies.series.instances.retrieveRendered"
CALLS = (
    Call("import", f"{_STORES}.import", importing, "Importing gs://"),
    Call("import", _OPERATION, importing, "/operations/"),
    Call("import", _LOOK, importing, "/operations/"),
    Call("export append", _LOOK, exporting("append"), "/operations/"),
    Call("export empty", f"{_STORES}.export", exporting("empty"), "Exporting "),
    Call("export append", f"{_STORES}.export", exporting("append"), "Exporting "),
    Call("export truncate", f"{_STORES}.export", exporting("truncate"), "Exporting "),
    Call("export empty", _OPERATION, exporting("empty"), "/operations/"),
    Call("export empty", "bigquery.jobs.insert", exporting("empty"), "Querying BigQuery"),
    Call("query", "bigquery.jobs.insert", querying, "Querying BigQuery"),
    Call("query", "bigquery.jobs.getQueryResults", querying, "Querying BigQuery"),
    Call("view", f"{_STORES}.searchForInstances", viewing, "dicomWeb/instances"),
    Call("view", _RENDERED, viewing, "dicomWeb/studies/"),
)


@pytest.fixture(scope="module")
def base(
    healthcare_emulator: HealthcareEmulator, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """A store that holds the files, and a table of them."""
    bigquery_client = clients.big_query(healthcare_emulator.project)
    bigquery_client.create_dataset(DATASET)
    _grant(healthcare_emulator)
    store = healthcare_emulator.dicom_store(DATASET, "full")
    world = World(
        healthcare_emulator, store, "full", tmp_path_factory.mktemp("base"), bigquery_client
    )
    assert importing(world).output["success"] == FILES
    assert exporting("empty")(world).output["rows"] == FILES
    return world


def _grant(emulator: HealthcareEmulator) -> None:
    project = f"{emulator.url}/v1/projects/{emulator.project}"
    service = f"{project}/services/healthcare.googleapis.com"
    http.post(f"{service}:generateServiceIdentity").raise_for_status()
    number = http.get(project).raise_for_status().json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = http.post(f"{project}:getIamPolicy").raise_for_status().json()
    roles = ("roles/storage.objectViewer", "roles/bigquery.admin")
    bindings = [{"role": role, "members": [agent]} for role in roles]
    body = {"policy": {**policy, "bindings": [*policy.get("bindings", []), *bindings]}}
    http.post(f"{project}:setIamPolicy", json=body).raise_for_status()


@pytest.fixture
def world(base: World, call: Call, tmp_path: Path) -> World:
    """A store of its own to import into, a table of its own to export to."""
    cell = f"cell{next(_NUMBERS)}"
    world = World(base.emulator, base.store, base.table, tmp_path, base.bigquery_client)
    if call.script == "import":
        world.store = base.emulator.dicom_store(DATASET, cell)
    elif call.script.startswith("export"):
        world.table = cell
        if call.script != "export empty":
            assert exporting("empty")(world).code == 0
    world.operations_before = {one["name"] for one in world.operations()}
    return world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    """Waits of milliseconds in the short form: how they grow is tested elsewhere."""
    if not soak:
        monkeypatch.setattr(retry, "INITIAL_SECONDS", 0.01)
        monkeypatch.setattr(operations, "INITIAL_POLL_SECONDS", 0.02)


def _cell(value: Any) -> str:
    if isinstance(value, Fault):
        return value.name
    return f"{value.script}, {value.method.rpartition('.')[2]}"


_WAITING = {("import", _OPERATION), ("export append", f"{_STORES}.export"), ("view", _RENDERED)}
"""Script and method that meet a Retry-After in the short form: the wait is a second at least, and
three pieces of code do it, for operations, for what starts them and for DICOMweb."""


@pytest.mark.parametrize("fault", FAULTS, ids=_cell)
@pytest.mark.parametrize("call", CALLS, ids=_cell)
def test_cell(call: Call, fault: Fault, world: World, soak: bool) -> None:
    if fault.body.get("retry_after") and not soak and (call.script, call.method) not in _WAITING:
        fault = replace(fault, body={**fault.body, "retry_after": 0}, seconds=0)
    expected = call.expected(fault)
    began = time.monotonic()

    ran, broken = met(world.emulator.url, call.method, fault.body, lambda: call.run(world))

    took = time.monotonic() - began
    assert broken == (expected.broken or broken) > 0
    if expected.passing:
        assert ran.code == 0, ran.errors
        assert took >= expected.seconds
    else:
        _check_error(call, fault, ran)
    _check_end(call, fault, ran, world)
    _ENDS["came_through" if expected.passing else "explained"] += 1


def _check_error(call: Call, fault: Fault, ran: Ran) -> None:
    """The error names culprit and hint, to programs and to people."""
    error = ran.error
    assert ran.code == error["exit_code"] == 1
    assert call.culprit in error["message"]
    assert error["cure"]
    assert error["cure"] in ran.errors
    assert error["code"] == fault.body["status"]
    assert fault.message in error["message"]


def _check_end(call: Call, fault: Fault, ran: Ran, world: World) -> None:
    """The started operations, and the contents of store, table and folder."""
    world.wait()
    reached = ran.code == 0 or not call.starts
    # One whose answer was lost is found and followed, not begun again.
    assert len(world.operations()) == (reached and call.script not in ("query", "view"))
    if call.script == "import":
        assert world.instances() == FILES * reached
        assert all(one["metadata"]["counter"]["success"] == "10" for one in world.operations())
    elif call.script.startswith("export"):
        before, added = _ROWS[call.script]
        each = added if reached else before
        rows = world.rows()
        assert len(rows) == (FILES if each else 0)
        assert set(rows.values()) <= {each}
    elif call.script == "query" and ran.code == 0:
        assert ran.output["queries"][0]["rows"] == [{"n": FILES}]
    elif call.script == "view":
        pictures = [picture.read_bytes() for picture in world.folder.iterdir()]
        assert len(pictures) == (ran.code == 0)
        assert all(picture.startswith(b"\x89PNG") for picture in pictures)


_ROWS = {"export empty": (0, 1), "export append": (1, 2), "export truncate": (1, 1)}
"""Rows of each instance before and after an export."""


@pytest.mark.parametrize("call", CALLS, ids=_cell)
def test_a_service_that_stays_away_is_given_up_in_time(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = 0.75
    for module, name in (
        (retry, "DEADLINE_SECONDS"),
        (operations, "ABSENCE_SECONDS"),
        (start_operation, "LOOK_SECONDS"),
    ):
        monkeypatch.setattr(module, name, patience)
    defaults = retry.call.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "deadline", patience)
    began = time.monotonic()

    fault = Fault("503", {"status": 503}, passing=False)
    ran, broken = met(world.emulator.url, call.method, fault.body, lambda: call.run(world))

    assert broken > 1
    assert time.monotonic() - began < 20 * patience
    if call.expected(fault).passing:
        assert ran.code == 0, ran.errors
    else:
        _check_error(call, fault, ran)
    _check_end(call, fault, ran, world)


_PATIENT = {"import", "export truncate", "view"}


@pytest.mark.parametrize("call", [c for c in CALLS if c.script in _PATIENT], ids=_cell)
def test_an_answer_later_than_the_client_waits_is_asked_for_again(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("googleapiclient.http.DEFAULT_HTTP_TIMEOUT_SEC", 0.5)
    monkeypatch.setattr(dicomweb, "READ_TIMEOUT_SECONDS", 0.5)

    late = {"delay": 1.0, "times": 1}
    ran, broken = met(world.emulator.url, call.method, late, lambda: call.run(world))

    assert broken == 1
    assert ran.code == 0, ran.errors
    # The late call comes through as well, if its connection is not looked at before.
    time.sleep(1)
    world.wait()
    assert len(world.operations()) <= 2
    if call.script == "import":
        assert world.instances() == FILES
    elif call.script == "export truncate":
        assert set(world.rows().values()) == {1}


def test_the_matrix_was_walked(report: Callable[..., None]) -> None:
    cells = len(CALLS) * len(FAULTS)
    report("scripts, calls x faults", cells=cells, lost=cells - _ENDS.total(), **_ENDS)
