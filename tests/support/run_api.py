"""Calls of Cloud Run by HTTP, in process, and of its services."""

from typing import Any

import httpx
from starlette.testclient import TestClient

from tests.support.waiting import wait_until

ROOT = "/v2/projects/local-project/locations/europe-west4"


class RunApi:
    """Calls of Cloud Run in one location."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def call(self, verb: str, path: str, json: Any = None, **query: str) -> Any:
        """Call a method and return its answer."""
        answer = self._client.request(verb, f"{ROOT}/{path}", json=json, params=query)
        answer.raise_for_status()
        return answer.json()

    def refused(self, verb: str, path: str, json: Any = None, **query: str) -> Any:
        """Call a method and return its error."""
        answer = self._client.request(verb, f"{ROOT}/{path}", json=json, params=query)
        assert answer.is_error
        return answer.json()["error"]

    def ended(self, operation: Any) -> Any:
        """Return an operation once it has ended."""

        def look() -> Any:
            got = self._client.get(f"/v2/{operation['name']}").raise_for_status().json()
            return got if got.get("done") else None

        return wait_until(look, f"{operation['name']} does not end")

    def done(self, verb: str, path: str, json: Any = None, **query: str) -> Any:
        """Call a method and return the response of its operation."""
        return self.ended(self.call(verb, path, json, **query))["response"]


def answer(service: Any, path: str = "/", **request: Any) -> httpx.Response:
    """Call a service at its address."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.request("POST", service["uri"] + path, **request)
