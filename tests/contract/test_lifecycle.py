"""Starting, stopping, killing: the emulator's processes, by its command line."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest

from emulator.__main__ import main
from emulator.seed.patients import object_names
from emulator.server import lifecycle, running_processes
from emulator.services.storage.public_bucket import BUCKET, BUCKETS, PATIENTS_BUCKET
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.sockets

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m emulator` on the state in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        env={**os.environ, "LAB_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=180,
    )


def run_here(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the same in this process, which takes half a second less."""
    code, out, err = 0, io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["emulator", *arguments]),
        mock.patch.dict(os.environ, LAB_DIR=str(folder)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the state of an emulator, which the tests hand over as it is."""
    folder = tmp_path_factory.mktemp("lifecycle")
    yield folder
    run_here(folder, "stop")


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs the command line on the emulator that the tests share."""
    return partial(run_here, folder)


@pytest.fixture
def run_in_empty(tmp_path: Path) -> Run:
    """Runs the command line where no emulator has ever been started."""
    return partial(run_here, tmp_path)


def started(run: Run, *arguments: str) -> dict[str, Any]:
    done = run("start", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def enable(url: str) -> None:
    path = "/v1/projects/local-project/services/healthcare.googleapis.com:enable"
    http.post(f"{url}{path}").raise_for_status()


def datasets(url: str) -> list[str]:
    path = "/v1/projects/local-project/locations/us-central1/datasets"
    return [one["name"] for one in http.get(f"{url}{path}").json().get("datasets", [])]


def create_dataset(url: str) -> None:
    path = "/v1/projects/local-project/locations/us-central1/datasets?datasetId=dataset1"
    http.post(f"{url}{path}", json={}).raise_for_status()


def test_from_start_to_reset(folder: Path) -> None:
    run = partial(run_process, folder)
    assert run("status").returncode == 3
    assert "python -m emulator start" in run("env").stderr

    first = started(run)
    assert set(first["ports"]) == {"api", "bigquery", "storage"}
    assert started(run) == first  # one that runs is kept
    assert json.loads(run("status", "--json").stdout) == {
        **first,
        "ready": True,
        "trouble": "",
        "services": {"BigQuery": "ready", "Cloud Storage": "ready"},
    }
    enable(first["url"])
    create_dataset(first["url"])
    assert f"\nconsole: {first['url']}/_console/\n" in run("status").stdout
    exports = run("env").stdout
    shown = subprocess.run(
        ["bash", "-c", f"{exports}\necho $GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"],
        capture_output=True,
        text=True,
    )
    assert shown.stdout.strip() == f"{first['url']}/v1beta1/"
    key = folder / "emulator/credentials.json"
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_text())["token_uri"] == f"{first['url']}/token"

    below = children(first["pid"])
    assert run("stop").returncode == 0
    assert [process for process in below if process.is_running()] == []
    here = partial(run_here, folder)
    second = started(here)
    assert second["ports"] == first["ports"]
    assert second["pid"] != first["pid"]
    assert datasets(second["url"]) == [
        "projects/local-project/locations/us-central1/datasets/dataset1"
    ]

    fill_neighbours(second)
    assert run("reset").returncode == 0
    assert json.loads(here("status", "--json").stdout)["pid"] == second["pid"]
    assert_nothing_but_the_public_buckets(second)
    enable(second["url"])
    assert datasets(second["url"]) == []
    assert "emulator" in run("logs").stdout
    assert "bqemulator" in run("logs", "bigquery").stdout

    enable(second["url"])
    create_dataset(second["url"])
    here("stop")
    assert run("reset").returncode == 0  # of one that does not run
    third = started(here)
    assert third["ports"] == first["ports"]
    enable(third["url"])
    assert datasets(third["url"]) == []


def fill_neighbours(running: dict[str, Any]) -> None:
    """A bucket, an object that does not belong into the public one, a BigQuery dataset."""
    storage = f"http://127.0.0.1:{running['ports']['storage']}"
    http.post(f"{storage}/storage/v1/b", json={"name": "mine"}).raise_for_status()
    for bucket in ("mine", BUCKET):
        url = f"{storage}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=dicom/x.dcm"
        http.post(url, content=b"x").raise_for_status()
    bigquery = f"http://127.0.0.1:{running['ports']['bigquery']}/bigquery/v2"
    body = {"datasetReference": {"datasetId": "d"}}
    http.post(f"{bigquery}/projects/local-project/datasets", json=body).raise_for_status()


def assert_nothing_but_the_public_buckets(running: dict[str, Any]) -> None:
    storage = f"http://127.0.0.1:{running['ports']['storage']}/storage/v1/b"
    assert {one["id"] for one in http.get(storage).json()["items"]} == {*BUCKETS}
    names = [one["name"] for one in http.get(f"{storage}/{BUCKET}/o").json()["items"]]
    assert len(names) == 405
    patients = http.get(f"{storage}/{PATIENTS_BUCKET}/o").json()["items"]
    assert {one["name"] for one in patients} == {*object_names()}
    bigquery = f"http://127.0.0.1:{running['ports']['bigquery']}/bigquery/v2"
    url = f"{bigquery}/projects/local-project/datasets"
    assert http.get(url).json().get("datasets", []) == []


def test_a_port_in_use_is_named_with_its_holder(run_in_empty: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run_in_empty("start", "--bigquery-port", str(port))

    assert done.returncode == 1
    assert f"Port {port} is in use by {psutil.Process().name()}" in done.stderr
    assert str(os.getpid()) in done.stderr
    assert "--bigquery-port" in done.stderr
    assert run_in_empty("status").returncode == 3


def test_one_port_for_two_services_is_refused(run_in_empty: Run) -> None:
    done = run_in_empty("start", "--port", "45678", "--storage-port", "45678")

    assert done.returncode == 1
    assert "Port 45678 is given twice" in done.stderr


def test_a_stale_note_of_another_process_does_no_harm(run_in_empty: Run, tmp_path: Path) -> None:
    # The pid was given to another process since, as after a restart of the machine.
    (tmp_path / "emulator").mkdir()
    ports = {"api": 0, "bigquery": 0, "storage": 0}
    noted = {"pid": os.getpid(), "created": 1.0, "ports": ports}
    (tmp_path / "emulator/server.json").write_text(json.dumps(noted))

    assert run_in_empty("status").returncode == 3
    assert run_in_empty("stop").returncode == 0
    assert psutil.pid_exists(os.getpid())


def test_what_a_killed_one_left_behind_is_ended(tmp_path: Path) -> None:
    # Linux ends the children itself; elsewhere the next start does, by this note.
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        running_processes.record_children(tmp_path, [left.pid])
        noted = json.loads((tmp_path / "children.json").read_text())
        (tmp_path / "children.json").write_text(json.dumps([*noted, [other.pid, 1.0]]))

        lifecycle.kill_orphans(tmp_path)

        assert not psutil.pid_exists(left.pid)
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "emulator", "start", "--foreground"]
    environment = {**os.environ, "LAB_DIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "BigQuery is ready" in line:
                break
        below = children(process.pid)
        process.send_signal(number)
        rest = process.communicate(timeout=PATIENCE_SECONDS)[1]

    assert process.returncode == 0, rest
    assert "is started again" not in rest
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].endswith("stopped")
    assert [one for one in below if one.is_running()] == []
    log = (tmp_path / "emulator/bigquery.log").read_text()
    assert "bqemulator.stop" in log  # it was asked to end, not killed


def test_it_listens_on_loopback_only(run: Run) -> None:
    first = started(run)
    processes = [psutil.Process(first["pid"]), *children(first["pid"])]

    listening = {
        connection.laddr.ip.removeprefix("::ffff:")  # gRPC listens by IPv6, on the same loopback
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_a_child_that_dies_is_started_again(run: Run, folder: Path) -> None:
    first = started(run)
    storage = next(one for one in children(first["pid"]) if "fake-gcs" in one.name())

    storage.kill()
    storage.wait(10)
    log = folder / "emulator/emulator.log"
    wait_until(lambda: "is started again" in log.read_text(), "its end is not noticed")

    again = started(run)  # waits until everything is ready
    assert again == first
    bucket = f"http://127.0.0.1:{first['ports']['storage']}/storage/v1/b"
    assert http.get(bucket).json()["items"]


def test_a_killed_one_leaves_nothing_behind_and_loses_nothing(run: Run) -> None:
    first = started(run)
    enable(first["url"])
    assert datasets(first["url"]) == []
    create_dataset(first["url"])
    below = children(first["pid"])
    assert below

    server = psutil.Process(first["pid"])
    server.kill()
    server.wait(20)
    _, alive = psutil.wait_procs(below, timeout=PATIENCE_SECONDS)

    assert alive == []
    assert run("status").returncode == 3
    second = started(run)
    assert len(datasets(second["url"])) == 1


def test_a_server_with_other_code_is_restarted_and_keeps_its_state(run: Run, folder: Path) -> None:
    run("stop")
    first = started(run, "--all-services-enabled")
    dataset = f"{first['url']}/v1/projects/upgraded/locations/us-central1/datasets"
    http.post(dataset, params={"datasetId": "kept"}, json={}).raise_for_status()
    note = folder / "emulator" / "server.json"
    content = json.loads(note.read_text())
    del content["code"]  # as a version wrote it that had no stamp
    note.write_text(json.dumps(content))

    done = run("start", "--json")
    second = json.loads(done.stdout)
    assert "restarting the local Google Cloud: the running one has another version" in done.stderr
    assert second["pid"] != first["pid"]
    assert second["ports"] == first["ports"]
    assert http.get(f"{dataset}/kept").status_code == 200
    assert json.loads(note.read_text())["all_services_enabled"]
    assert started(run)["pid"] == second["pid"]
