"""A small fake-gcs-server behind the front, in the process itself."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.services.storage.backend import Backend
from emulator.services.storage.proxy import ReverseProxy
from tests.support.fake_storage import FakeStorage


@pytest.fixture
def fake() -> FakeStorage:
    return FakeStorage()


@pytest.fixture
def client(cloud: Cloud, fake: FakeStorage) -> Iterator[TestClient]:
    """A client of the front; the Healthcare service agent of `local-project` exists."""
    cloud.service_usage.services.enable("local-project", ["healthcare.googleapis.com"])
    cloud.service_usage.services.make_identity("local-project", "healthcare.googleapis.com")
    cloud.storage = replace(
        cloud.storage,
        backend=Backend("http://127.0.0.1:1", httpx.MockTransport(fake)),
        proxy=ReverseProxy("http://127.0.0.1:1", httpx.MockTransport(fake)),
    )
    app = create_app(cloud)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def bucket(client: TestClient) -> str:
    """The path of a bucket of `local-project`."""
    answer = client.post("/storage/v1/b?project=local-project", json={"name": "bucket-1"})
    answer.raise_for_status()
    return "/storage/v1/b/bucket-1"
