"""Faults on demand by the command line, and over real connections."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets
LIST = "healthcare.projects.locations.datasets.list"


@pytest.fixture(autouse=True)
def cleared(emulator: ServerInfo) -> Iterator[None]:
    yield
    http.delete(f"{emulator.url}/_emulator/faults").raise_for_status()


def fault(emulator: ServerInfo, *words: str, code: int = 0) -> str:
    """Run `python -m emulator fault ...`; what it printed."""
    environment = {**os.environ, "LAB_DIR": str(emulator.state.parent)}
    command = [sys.executable, "-m", "emulator", "fault", *words]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_answer_breaks_off_and_the_next_one_is_whole(emulator: ServerInfo, project: str) -> None:
    url = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets?pageSize=1"
    whole = http.get(url)
    output = fault(emulator, "add", LIST, "--cut", "1", "--times", "1")
    assert "cut off after 1 bytes" in output
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(url)
    assert http.get(url).content == whole.content


def test_the_list_reports_what_was_broken(emulator: ServerInfo, project: str) -> None:
    fault(emulator, "add", LIST, "--status", "503", "--times", "1")
    url = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    assert [http.get(url).status_code for _ in range(3)] == [503, 200, 200]
    [listed] = json.loads(fault(emulator, "list", "--json"))
    assert (listed["method"], listed["broken"]) == (LIST, 1)
    assert "Service Unavailable" in fault(emulator, "list")
    fault(emulator, "clear", str(listed["number"]))
    assert fault(emulator, "list") == "no faults\n"


def test_what_makes_no_sense_is_refused_in_words(emulator: ServerInfo) -> None:
    assert "needs a status, a delay or a cut" in fault(emulator, "add", LIST, code=1)
    assert "Fault 99 does not exist" in fault(emulator, "clear", "99", code=1)


def test_scripts_of_google_come_through_a_full_service(emulator: ServerInfo, project: str) -> None:
    from googleapiclient.discovery import build

    fault(emulator, "add", "healthcare.*.datasets.list", "--status", "503", "--times", "2")
    options = {"api_endpoint": emulator.url}
    service = build("healthcare", "v1", client_options=options, static_discovery=True)
    parent = f"projects/{project}/locations/us-central1"
    request: Any = service.projects().locations().datasets().list(parent=parent)
    assert request.execute(num_retries=3) == {}
