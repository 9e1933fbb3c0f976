"""Calls of Secret Manager by HTTP, in process."""

import base64
from typing import Any

from starlette.testclient import TestClient

AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}


class SecretsApi:
    """Calls about the secrets of `local-project`, or of one of its locations."""

    def __init__(self, client: TestClient, parent: str = "projects/local-project") -> None:
        self.client = client
        self.root = f"/v1/{parent}/secrets"

    def create(self, id_: str = "tls", **body: Any) -> Any:
        """Create a secret with automatic replication."""
        url = f"{self.root}?secretId={id_}"
        return self.client.post(url, json={**AUTOMATIC, **body})

    def add(self, content: bytes, id_: str = "tls", **payload: Any) -> Any:
        """Add a version."""
        body = {"payload": {"data": base64.b64encode(content).decode(), **payload}}
        return self.client.post(f"{self.root}/{id_}:addVersion", json=body)

    def patch(self, mask: str, id_: str = "tls", **body: Any) -> Any:
        """Change the fields of a secret that a mask names."""
        return self.client.patch(f"{self.root}/{id_}?updateMask={mask}", json=body)

    def get(self, path: str = "tls", **query: str) -> Any:
        """Read what is at a path below the secrets."""
        return self.client.get(f"{self.root}/{path}".rstrip("/"), params=query)

    def post(self, path: str, **body: Any) -> Any:
        """Call a verb on what is at a path below the secrets."""
        return self.client.post(f"{self.root}/{path}", json=body)

    def delete(self, path: str = "tls", **query: str) -> Any:
        """Delete what is at a path below the secrets."""
        return self.client.delete(f"{self.root}/{path}", params=query)

    def content(self, version: str = "latest", id_: str = "tls") -> bytes:
        """Return the payload of a version."""
        answer = self.get(f"{id_}/versions/{version}:access")
        answer.raise_for_status()
        return base64.b64decode(answer.json()["payload"]["data"])
