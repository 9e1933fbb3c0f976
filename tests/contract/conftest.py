"""One real emulator, with processes and sockets, for all contract tests of a run."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import processes
from emulator.layout import Running

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A started emulator with a state folder of its own; its variables are in the environment."""
    state = tmp_path_factory.mktemp("contract") / "emulator"
    running = processes.start(state)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment().items():
            patch.setenv(name, value)
        yield running
    processes.stop(state)


@pytest.fixture
def project(emulator: Running) -> str:
    """A fresh project with the lab's services, whose Healthcare service agent exists."""
    name = f"contract-{next(_NUMBERS)}"
    services = ["healthcare", "bigquery", "storage", "pubsub"]
    body = {"serviceIds": [f"{service}.googleapis.com" for service in services]}
    api = f"{emulator.url}/v1/projects/{name}"
    httpx.post(f"{api}/services:batchEnable", json=body).raise_for_status()
    identity = f"{api}/services/healthcare.googleapis.com:generateServiceIdentity"
    httpx.post(identity).raise_for_status()
    return name


@pytest.fixture
def service_agent(emulator: Running, project: str) -> str:
    """The Healthcare service agent of the project, as IAM writes it."""
    number = httpx.get(f"{emulator.url}/v1/projects/{project}").json()["projectNumber"]
    return f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"


@pytest.fixture
def grant(emulator: Running, project: str, service_agent: str) -> Callable[..., None]:
    """Gives the service agent exactly these project roles, and takes every other from it."""

    def grant(*roles: str) -> None:
        url = f"{emulator.url}/v1/projects/{project}"
        policy: dict[str, Any] = httpx.post(f"{url}:getIamPolicy", json={}).json()
        others = [one for one in policy["bindings"] if service_agent not in one["members"]]
        given = [{"role": role, "members": [service_agent]} for role in roles]
        body = {"policy": {**policy, "bindings": [*others, *given]}}
        httpx.post(f"{url}:setIamPolicy", json=body).raise_for_status()

    return grant


def lab_dir(running: Running) -> Path:
    """What `LAB_DIR` is for an emulator's state folder."""
    return running.state.parent


def subprocess_environment() -> dict[str, str]:
    """The environment of command-line tools: the emulator's, without proxies of this machine."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_proxy")}
