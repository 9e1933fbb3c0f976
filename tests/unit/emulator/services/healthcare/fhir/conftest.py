"""FHIR stores in process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

FHIR_JSON = "application/fhir+json"
JSON_PATCH = "application/json-patch+json"


@dataclass
class FhirClient:
    """Calls the FHIR service of a store, without a path that every call would repeat.

    Attributes:
        client: of the emulator
        store: the full name of the store
        version: of the API
    """

    client: TestClient
    store: str
    version: str = "v1"

    def send(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        media_type: str = FHIR_JSON,
        **headers: str,
    ) -> Any:
        """Send a request; `_` in the name of a header is `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content: Any = body
        if body is not None:
            sent["Content-Type"] = media_type
            content = body if isinstance(body, bytes) else json.dumps(body)
        url = f"/{self.version}/{self.store}/fhir{f'/{path}' if path else ''}"
        return self.client.request(method, url, content=content, headers=sent)

    def ok(self, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
        """Return the JSON of a call that succeeds."""
        response = self.send(method, path, body, **headers)
        assert response.status_code < 300, response.text
        return response.json()

    def put(self, resource: dict[str, Any], **headers: str) -> Any:
        """Create or replace a resource by its id."""
        return self.ok("PUT", f"{resource['resourceType']}/{resource['id']}", resource, **headers)

    def patch(self, path: str, operations: Any, **headers: str) -> Any:
        """Patch a resource."""
        return self.send("PATCH", path, operations, JSON_PATCH, **headers)

    def refused(
        self, status: int, method: str, path: str = "", body: Any = None, **headers: str
    ) -> Any:
        """Return the first issue of a call that is refused."""
        return issue(self.send(method, path, body, **headers), status)

    def bundle(self, type_: str, *entries: Any, **headers: str) -> Any:
        """Execute a bundle."""
        body = {"resourceType": "Bundle", "type": type_, "entry": list(entries)}
        return self.send("POST", "", body, **headers)


def issue(response: Any, status: int) -> Any:
    assert response.status_code == status, response.text
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]


@pytest.fixture
def make_fhir(client: TestClient, dataset: str) -> Callable[..., FhirClient]:
    """Creates an R4 store whose clients choose ids, unless the settings say otherwise."""

    def make(store_id: str = "records", **settings: Any) -> FhirClient:
        body = {"version": "R4", "enableUpdateCreate": True, **settings}
        answer = client.post(f"/v1beta1/{dataset}/fhirStores?fhirStoreId={store_id}", json=body)
        assert answer.status_code == 200, answer.text
        return FhirClient(client, str(answer.json()["name"]))

    return make


@pytest.fixture
def fhir(make_fhir: Callable[..., FhirClient]) -> FhirClient:
    """A store whose clients choose ids."""
    return make_fhir()
