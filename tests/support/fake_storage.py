"""A small fake-gcs-server behind the front, in the process itself."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.storage.backend import Backend
from emulator.storage.forwarding import Forwarder


@dataclass
class FakeStorage:
    """Buckets, and what was asked for."""

    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    down: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path.removeprefix("/storage/v1/b").strip("/")
        if "/" in path or not request.url.path.startswith("/storage/v1/b"):
            return httpx.Response(200, stream=httpx.ByteStream(request.content or b"content"))
        if request.method == "POST":
            path = json.loads(request.content)["name"]
            if path in self.buckets:
                return _refused(409, f"A Cloud Storage bucket named '{path}' already exists.")
            self.buckets[path] = {}
        if not path:
            items = [_bucket(name) for name in self.buckets]
            return httpx.Response(200, json={"kind": "storage#buckets", "items": items})
        if path not in self.buckets:
            return _refused(404, "Not Found")
        if request.method == "DELETE":
            if self.buckets[path]:
                return _refused(412, "bucket must be empty prior to deletion")
            del self.buckets[path]
            return httpx.Response(200)
        return httpx.Response(200, json=_bucket(path))


def _bucket(name: str) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "location": "US-CENTRAL1",
        "storageClass": "STANDARD",
        "projectNumber": "0",
        "metageneration": "1",
        "selfLink": f"http://127.0.0.1:1/storage/v1/b/{name}",
    }


def _refused(code: int, message: str) -> httpx.Response:
    return httpx.Response(code, json={"error": {"code": code, "message": message}})


@pytest.fixture
def fake() -> FakeStorage:
    return FakeStorage()


@pytest.fixture
def client(cloud: Cloud, fake: FakeStorage) -> Iterator[TestClient]:
    """A client of the front; the Healthcare service agent of `local-project` exists."""
    cloud.services.enable("local-project", ["healthcare.googleapis.com"])
    cloud.services.make_identity("local-project", "healthcare.googleapis.com")
    cloud.storage = Backend("http://127.0.0.1:1", httpx.MockTransport(fake))
    app = create_app(cloud)
    app.state.storage = Forwarder("http://127.0.0.1:1", httpx.MockTransport(fake))
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def bucket(client: TestClient) -> str:
    """The path of a bucket of `local-project`."""
    made = client.post("/storage/v1/b?project=local-project", json={"name": "bucket-1"})
    made.raise_for_status()
    return "/storage/v1/b/bucket-1"
