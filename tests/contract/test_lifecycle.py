"""Starting, stopping, killing: the emulator's processes, by its command line."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = pytest.mark.sockets

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs `python -m emulator` on a state folder of this test alone."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "emulator", *arguments],
            env={**os.environ, "LAB_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=180,
        )

    yield run
    run("stop")


def started(run: Run, *arguments: str) -> dict[str, Any]:
    done = run("start", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def enable(url: str) -> None:
    path = "/v1/projects/local-project/services/healthcare.googleapis.com:enable"
    httpx.post(f"{url}{path}").raise_for_status()


def datasets(url: str) -> list[str]:
    path = "/v1/projects/local-project/locations/us-central1/datasets"
    return [one["name"] for one in httpx.get(f"{url}{path}").json().get("datasets", [])]


def create_dataset(url: str) -> None:
    path = "/v1/projects/local-project/locations/us-central1/datasets?datasetId=dataset1"
    httpx.post(f"{url}{path}", json={}).raise_for_status()


def test_from_start_to_reset(run: Run, tmp_path: Path) -> None:
    assert run("status").returncode == 3
    assert "python -m emulator start" in run("env").stderr

    first = started(run)
    assert set(first["ports"]) == {"api", "bigquery", "storage"}
    assert started(run) == first  # one that runs is kept
    assert json.loads(run("status", "--json").stdout) == first
    enable(first["url"])
    create_dataset(first["url"])
    exports = run("env").stdout
    shown = subprocess.run(
        ["bash", "-c", f"{exports}\necho $GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"],
        capture_output=True,
        text=True,
    )
    assert shown.stdout.strip() == f"{first['url']}/v1beta1/"
    key = tmp_path / "emulator/credentials.json"
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_text())["token_uri"] == f"{first['url']}/token"

    below = children(first["pid"])
    assert run("stop").returncode == 0
    assert [process for process in below if process.is_running()] == []
    second = started(run)
    assert second["ports"] == first["ports"]
    assert second["pid"] != first["pid"]
    assert datasets(second["url"]) == [
        "projects/local-project/locations/us-central1/datasets/dataset1"
    ]

    assert run("reset").returncode == 0
    third = json.loads(run("status", "--json").stdout)
    enable(third["url"])
    assert datasets(third["url"]) == []
    assert "emulator" in run("logs").stdout


def test_a_port_in_use_is_named_with_its_holder(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run("start", "--bigquery-port", str(port))

    assert done.returncode == 1
    assert f"port {port} is in use, by python" in done.stderr
    assert str(os.getpid()) in done.stderr
    assert "--bigquery-port" in done.stderr
    assert run("status").returncode == 3


def test_a_killed_one_leaves_nothing_behind_and_loses_nothing(run: Run) -> None:
    first = started(run)
    enable(first["url"])
    create_dataset(first["url"])
    below = children(first["pid"])
    assert below

    psutil.Process(first["pid"]).kill()
    _, alive = psutil.wait_procs(below, timeout=20)

    assert alive == []
    assert run("status").returncode == 3
    second = started(run)
    assert len(datasets(second["url"])) == 1


def test_a_child_that_dies_is_started_again(run: Run) -> None:
    first = started(run)
    storage = next(one for one in children(first["pid"]) if "fake-gcs" in one.name())

    storage.kill()
    storage.wait(10)

    again = started(run)  # waits until everything is ready
    assert again == first
    bucket = f"http://127.0.0.1:{first['ports']['storage']}/storage/v1/b"
    assert httpx.get(bucket).json()["items"]
    assert "is started again" in run("logs").stdout


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
