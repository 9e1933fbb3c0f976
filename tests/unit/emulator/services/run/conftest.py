"""Cloud Run in process, with programs that start at once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.services.containers import keeper
from tests.support.run_api import RunApi
from tests.support.run_programs import write_programs


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names of images and their programs, which are restarted at once."""
    monkeypatch.setattr(keeper, "INITIAL_DELAY_SECONDS", 0.01)
    return write_programs(tmp_path)


@pytest.fixture
def begin(
    open_cloud: Callable[..., Cloud], images: dict[str, str]
) -> Iterator[Callable[..., tuple[Cloud, RunApi]]]:
    """Starts the emulator on the same state."""
    clients: list[TestClient] = []

    def begin(**settings: Any) -> tuple[Cloud, RunApi]:
        if clients:
            clients.pop().__exit__(None, None, None)
        cloud = open_cloud(images=images, **settings)
        cloud.service_usage.services.enable("local-project", ["run.googleapis.com"])
        client = TestClient(create_app(cloud), "http://127.0.0.1")
        clients.append(client.__enter__())
        return cloud, RunApi(client)

    yield begin
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def run(begin: Callable[..., tuple[Cloud, RunApi]]) -> RunApi:
    """Cloud Run of a project that has enabled it."""
    return begin()[1]
