"""One real emulator, with processes and sockets, for all contract tests of a run."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.support import browser, console_requests, http
from tests.support.browser import Tab
from tests.support.run_programs import write_programs

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerInfo]:
    """A started emulator with a state folder of its own, which knows the images of tests."""
    folder = tmp_path_factory.mktemp("contract")
    state = folder / "emulator"
    running = lifecycle.start(state, images=write_programs(folder))
    yield running
    lifecycle.stop(state)


@pytest.fixture(autouse=True)
def emulator_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the emulator's variables for each test that uses it.

    The pytest plug-in's own emulator sets them for a whole run, so once a run is too seldom here.
    """
    if "emulator" in request.fixturenames:
        running: ServerInfo = request.getfixturevalue("emulator")
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)


@pytest.fixture
def project(emulator: ServerInfo) -> str:
    """A fresh project with the lab's services, whose Healthcare service agent exists."""
    name = f"contract-{next(_NUMBERS)}"
    services = ["healthcare", "bigquery", "storage", "pubsub"]
    body = {"serviceIds": [f"{service}.googleapis.com" for service in services]}
    api = f"{emulator.url}/v1/projects/{name}"
    http.post(f"{api}/services:batchEnable", json=body).raise_for_status()
    identity = f"{api}/services/healthcare.googleapis.com:generateServiceIdentity"
    http.post(identity).raise_for_status()
    return name


@pytest.fixture
def service_agent(emulator: ServerInfo, project: str) -> str:
    """The Healthcare service agent of the project, as IAM writes it."""
    number = http.get(f"{emulator.url}/v1/projects/{project}").json()["projectNumber"]
    return f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"


@pytest.fixture
def grant(emulator: ServerInfo, project: str, service_agent: str) -> Callable[..., None]:
    """A function that sets the service agent's project roles to exactly these."""

    def grant(*roles: str) -> None:
        url = f"{emulator.url}/v1/projects/{project}"
        policy: dict[str, Any] = http.post(f"{url}:getIamPolicy", json={}).json()
        others = [one for one in policy["bindings"] if service_agent not in one["members"]]
        given = [{"role": role, "members": [service_agent]} for role in roles]
        body = {"policy": {**policy, "bindings": [*others, *given]}}
        http.post(f"{url}:setIamPolicy", json=body).raise_for_status()

    return grant


@pytest.fixture(scope="module")
def browser_tab(emulator: ServerInfo) -> Iterator[Tab]:
    """A page of a browser that all tests of this module share: a start takes seconds."""
    with browser.open_tab(emulator.url) as tab:
        yield tab


@pytest.fixture
def tab(browser_tab: Tab) -> Iterator[Tab]:
    """An empty page; at its end, nothing went wrong in it and it asked for what is listed."""
    yield browser_tab
    troubles, requests = [*browser_tab.troubles], [*browser_tab.requests]
    browser_tab.page.goto("about:blank")
    browser_tab.troubles.clear()
    browser_tab.requests.clear()
    assert troubles == []
    assert console_requests.strangers(requests) == []


def lab_dir(running: ServerInfo) -> Path:
    """The value of `LAB_DIR` for an emulator's state folder."""
    return running.state.parent


def subprocess_environment() -> dict[str, str]:
    """The environment of command-line tools: the emulator's, without proxies of this machine."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_proxy")}
