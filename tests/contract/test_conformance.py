"""The conformance kit between two emulators: it finds every planted difference, and no other."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest
import typer

from conformance import cleanup, command, recordings, report, run
from conformance.check import Check, Lab
from conformance.checks import ALL
from conformance.journal import Journal
from conformance.names import Names
from conformance.setup import Creator
from emulator.server.server_file import ServerInfo
from scripts.lib.cli import Output
from tests.support import http
from tests.support.altered import Alteration, AlteredSession
from tests.support.tapes import Tape, recorded
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.sockets
ROOT = Path(__file__).parents[2]
LOCATION = "us-central1"
SERVICES = (
    "healthcare",
    "bigquery",
    "storage",
    "pubsub",
    "logging",
    "monitoring",
    "iam",
    "iamcredentials",
    "secretmanager",
    "artifactregistry",
)
RENDERED = frozenset(check.id for check in ALL if check.id.startswith("rendered-"))

FAULTS: dict[str, tuple[dict[str, Any], frozenset[str]]] = {
    "healthcare.projects.locations.datasets.get": ({"status": 403}, frozenset({"dataset-missing"})),
    "healthcare.*.dicomStores.testIamPermissions": (
        {"status": 404},
        frozenset({"iam-test-missing"}),
    ),
    "healthcare.*.operations.cancel": ({"status": 409}, frozenset({"operation-cancel-text"})),
    "healthcare.*.instances.retrieveRendered": ({"cut": 10}, RENDERED),
    "healthcare.*.dicomStores.searchForStudies": ({"delay": 0.01}, frozenset()),
    "pubsub.projects.topics.get": ({"status": 404}, frozenset({"pubsub-missing-text"})),
    "bigquery.datasets.get": ({"status": 404}, frozenset({"bigquery-dataset-missing-text"})),
    "storage.buckets.testIamPermissions": (
        {"status": 400},
        frozenset({"storage-no-permissions-text"}),
    ),
}
"""Faults on demand, and the checks that have to find each. A delay changes no answer."""


def _altered(url: str, old: bytes, new: bytes, *checks: str) -> Alteration:
    return Alteration(frozenset(checks), url, old, new)


ALTERATIONS = (
    _altered(
        r"/dicomWeb/studies/[\d.]+/instances$",
        b'"00280100"',
        b'"00280102"',
        "search-instance-attributes",
    ),
    _altered(r"/2.25.74002.1.2/metadata$", b'"NaN"', b"null", "json-decimal-nan"),
    _altered(r"/2.25.74001.1.4/frames/2$", b"\x24\x49\x92", b"\x24\x49\x93", "frame-one-bit"),
    _altered(
        r":pull$",
        b'"modality"',
        b'"Modality"',
        "notification-stored",
        "notification-imported",
        "notification-bulk",
    ),
    _altered(r"/queries$", b'"Synthetic"', b'"Synthetik"', "bigquery-rows"),
    _altered(
        r"/entries:list$",
        b"healthcare.googleapis.com/ImportDicomData",
        b"healthcare.googleapis.com/Import",
        "import-log-entries",
    ),
    _altered(r":setIamPolicy$", b"did you mean", b"meant is", "iam-special-member-text"),
    _altered(r"/operations/\d+$", b"DeleteStudyResponse", b"Empty", "operation-deletion"),
)


@dataclass(frozen=True)
class Comparison:
    """A comparison of two emulators without a difference.

    Attributes:
        report: its JSON
        folder: its recordings
        lab_dir: of the kit
        tapes: what each check has got, by its id
    """

    report: dict[str, Any]
    folder: Path
    lab_dir: Path
    tapes: dict[str, Tape]

    @property
    def answers(self) -> dict[str, Any]:
        """The answer to each check."""
        return {one["check"]: one["real"] for one in self.report["checks"]}


@pytest.fixture(scope="module")
def real_project(emulator: ServerInfo) -> str:
    """A project with the services that a user of the kit has enabled."""
    name = "conformance-real"
    body = {"serviceIds": [f"{service}.googleapis.com" for service in SERVICES]}
    url = f"{emulator.url}/v1/projects/{name}/services:batchEnable"
    http.post(url, json=body).raise_for_status()
    return name


@pytest.fixture(scope="module")
def comparison(
    emulator: ServerInfo, real_project: str, tmp_path_factory: pytest.TempPathFactory
) -> Comparison:
    folder = tmp_path_factory.mktemp("conformance")
    output = folder / "report.json"
    request = command.Request(
        real_project, LOCATION, (), output, folder / "recordings", emulator.url, yes=True
    )
    tapes: dict[str, Tape] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_DIR", str(folder / "lab"))
        patch.setattr(command, "ALL", tuple(recorded(check, tapes) for check in ALL))
        with suppress(typer.Exit):  # of a difference, which a test shows
            command.run(request, Output())
    found = json.loads(output.read_text())
    return Comparison(found, folder / "recordings", folder / "lab", tapes)


def remains(emulator: ServerInfo, project: str) -> dict[str, Any]:
    """The resources of the kit that exist in a project."""
    url, parent = f"{emulator.url}/v1", f"projects/{project}/locations/{LOCATION}"
    policy = http.post(f"{url}/projects/{project}:getIamPolicy", json={}).json()
    lists = {
        "datasets": f"{url}/{parent}/datasets",
        "items": f"{emulator.url}/storage/v1/b?project={project}&prefix=conformance-",
        "topics": f"{url}/projects/{project}/topics",
        "subscriptions": f"{url}/projects/{project}/subscriptions",
    }
    tables = http.get(f"{emulator.url}/bigquery/v2/projects/{project}/datasets").json()
    found = {
        **{field: http.get(address).json().get(field) for field, address in lists.items()},
        "BigQuery": tables.get("datasets"),
        "grants": [one for one in policy["bindings"] if one["role"] != "roles/owner"],
        "audit": policy.get("auditConfigs"),
    }
    return {name: some for name, some in found.items() if some}


def journals(lab_dir: Path) -> list[Path]:
    return list((lab_dir / "conformance").iterdir())


def different(checks: list[Check], real: run.Answers, local: run.Answers) -> set[str]:
    return {one.check.id for one in report.compare(checks, real, local) if not one.is_equal}


def test_two_emulators_of_one_version_are_equal(
    comparison: Comparison, emulator: ServerInfo, real_project: str
) -> None:
    checks = comparison.report["checks"]
    assert {one["check"]: one["differences"] for one in checks if not one["equal"]} == {}
    assert comparison.report["equal"] == len(ALL)
    assert remains(emulator, real_project) == {}
    assert journals(comparison.lab_dir) == []


def test_the_report_names_no_project_and_no_address(
    comparison: Comparison, emulator: ServerInfo, real_project: str
) -> None:
    text = json.dumps(comparison.report)
    number = http.get(f"{emulator.url}/v1/projects/{real_project}").json()["projectNumber"]
    for secret in (real_project, number, emulator.url, "you@example.com", "Bearer"):
        assert secret not in text


@pytest.fixture
def faults(emulator: ServerInfo) -> Iterator[str]:
    """The address of the faults on demand; they are cleared afterwards."""
    address = f"{emulator.url}/_emulator/faults"
    yield address
    http.delete(address).raise_for_status()


def test_every_planted_difference_is_found_and_no_other(
    comparison: Comparison, emulator: ServerInfo, real_project: str, faults: str, tmp_path: Path
) -> None:
    names = Names.new(real_project, LOCATION)
    session = AlteredSession(ALTERATIONS)
    cloud = changed(
        cleanup.open_cloud_project(real_project, LOCATION, emulator.url),
        session=session,
        max_wait_seconds=8.0,
    )
    journal = Journal(tmp_path / "journal.jsonl")
    try:
        number = Creator(cloud, names, journal).create()
        for method, (fault, _) in FAULTS.items():
            http.post(faults, json={"method": method, **fault}).raise_for_status()
        answers = run.run(ALL, Lab(cloud, names, number), lambda _: None)
        listed = http.get(faults).json()["faults"]
    finally:
        http.delete(faults).raise_for_status()
        assert cleanup.remove_all(journal, lambda _: None) == []
        journal.close()
    assert [one["method"] for one in listed if not one["broken"]] == []
    assert session.met == {one.url for one in ALTERATIONS}
    planted = frozenset().union(
        *(checks for _, checks in FAULTS.values()), *(one.checks for one in ALTERATIONS)
    )
    assert different(list(ALL), answers, comparison.answers) == planted
    assert remains(emulator, real_project) == {}


OVER_GRPC = "pubsub-keep-alive"
"""The check that makes no call over HTTP."""


@pytest.mark.parametrize(
    "check", [one for one in ALL if one.id != OVER_GRPC], ids=lambda one: one.id
)
def test_a_check_finds_an_altered_value(
    comparison: Comparison, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    tape = comparison.tapes[check.id]
    answer = comparison.answers[check.id]
    assert tape.play() == answer
    assert any(
        not report.is_failure(other) and different([check], {check.id: other}, {check.id: answer})
        for other in (altered.play() for altered in tape.altered())
    )


def test_the_check_over_grpc_finds_a_stream_that_does_not_respond(comparison: Comparison) -> None:
    tape = comparison.tapes[OVER_GRPC]
    subscriber = mock.MagicMock()
    subscriber.__enter__().streaming_pull().__next__.side_effect = StopIteration
    with mock.patch("conformance.cloud_project.CloudProject.subscriber", return_value=subscriber):
        assert tape.play() != comparison.answers[OVER_GRPC]


def test_recordings_hold_the_answers_of_google_cloud(comparison: Comparison) -> None:
    found = recordings.read(comparison.folder)
    assert {check: one.answer for check, one in found.items()} == comparison.answers
    assert {one.location for one in found.values()} == {LOCATION}


def replay(
    recorded: Mapping[str, recordings.Recording], emulator: ServerInfo, project: str, folder: Path
) -> set[str]:
    """Make the calls of recordings to the emulator; return the checks that differ."""
    wrong: set[str] = set()
    for location in {one.location for one in recorded.values()}:
        checks = [
            one for one in ALL if one.id in recorded and recorded[one.id].location == location
        ]
        cloud = cleanup.open_cloud_project(project, location, emulator.url)
        names, journal = Names.new(project, location), Journal(folder / "journal.jsonl")
        try:
            lab = Lab(cloud, names, Creator(cloud, names, journal).create())
            answers = run.run(checks, lab, lambda _: None)
        finally:
            cleanup.remove_all(journal, lambda _: None)
            journal.close()
        wrong |= different(checks, {check: one.answer for check, one in recorded.items()}, answers)
    return wrong


def test_the_emulator_answers_as_google_cloud_did(
    emulator: ServerInfo, real_project: str, tmp_path: Path
) -> None:
    """Replay the recordings of real answers; there are none yet."""
    assert replay(recordings.read(recordings.FOLDER), emulator, real_project, tmp_path) == set()


def test_a_recording_of_another_answer_is_found(
    comparison: Comparison, emulator: ServerInfo, real_project: str, tmp_path: Path
) -> None:
    ids = ("dataset-missing", "stow-response", "iam-special-member-text")
    found = {one: recordings.read(comparison.folder)[one] for one in ids}
    other = {**found["stow-response"].answer, "status": 202}
    found["stow-response"] = changed(found["stow-response"], answer=other)
    assert replay(found, emulator, real_project, tmp_path) == {"stow-response"}


@dataclass(frozen=True)
class Stopped:
    """A run of the kit that waits for a response within a check."""

    process: subprocess.Popen[str]
    lab_dir: Path

    def finish(self) -> int:
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def emulators(self) -> list[int]:
        """The processes of the local Google Cloud that the run has started."""
        return [
            one.pid
            for one in psutil.process_iter()
            if any(str(self.lab_dir) in part for part in _command_line(one))
            and one.pid != self.process.pid
        ]


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture
def stopped(
    emulator: ServerInfo, real_project: str, faults: str, tmp_path: Path
) -> Iterator[Stopped]:
    method = "pubsub.projects.topics.get"
    http.post(faults, json={"method": method, "delay": 30}).raise_for_status()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "conformance", real_project, "--yes"),
            *("--only", "pubsub-missing-text", "--real-root", emulator.url),
        ],
        cwd=ROOT,
        env={**os.environ, "LAB_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def is_waiting() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return any(one["broken"] for one in http.get(faults).json()["faults"])

    run = Stopped(process, tmp_path)
    try:
        wait_until(is_waiting, "the kit does not reach its check")
        yield run
    finally:
        process.kill()
        process.wait()
        for pid in run.emulators():
            with suppress(psutil.Error):  # it has ended by itself
                psutil.Process(pid).kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_remove_everything(
    stopped: Stopped, emulator: ServerInfo, real_project: str, number: signal.Signals
) -> None:
    assert stopped.emulators()
    stopped.process.send_signal(number)
    assert stopped.finish() == 130
    assert remains(emulator, real_project) == {}
    assert stopped.emulators() == []
    assert journals(stopped.lab_dir) == []


def clean_up(_emulator: ServerInfo, _project: str) -> None:
    command.clean_up(Output())


def run_again(emulator: ServerInfo, project: str) -> None:
    only, root = ("dataset-missing",), emulator.url
    command.run(command.Request(project, LOCATION, only, real_root=root, yes=True), Output())


@pytest.mark.parametrize("clean", [clean_up, run_again])
def test_what_a_killed_run_has_left_is_removed(
    stopped: Stopped,
    emulator: ServerInfo,
    real_project: str,
    faults: str,
    monkeypatch: pytest.MonkeyPatch,
    clean: Callable[[ServerInfo, str], None],
) -> None:
    monkeypatch.setenv("LAB_DIR", str(stopped.lab_dir))
    command.clean_up(Output())
    assert remains(emulator, real_project) != {}, "a run that is active was taken away"
    stopped.process.kill()
    stopped.finish()
    assert stopped.emulators()
    http.delete(faults).raise_for_status()
    clean(emulator, real_project)
    assert remains(emulator, real_project) == {}
    assert stopped.emulators() == []
    assert journals(stopped.lab_dir) == []
