"""A small fake-gcs-server, in the process itself."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


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


def error(answer: Any) -> tuple[int, str, str]:
    """Return the code, the reason and the message of an error."""
    body = answer.json()["error"]
    assert body["code"] == answer.status_code
    [entry] = body["errors"]
    assert entry["message"] == body["message"]
    return body["code"], entry["reason"], body["message"]
