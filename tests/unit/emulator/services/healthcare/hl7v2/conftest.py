"""HL7v2 stores in process."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.hl7v2_messages import body


@pytest.fixture
def make_store(client: TestClient, dataset: str) -> Callable[..., str]:
    """Creates an HL7v2 store; returns its full name."""

    def make(store_id: str = "hl7", **settings: Any) -> str:
        answer = client.post(f"/v1/{dataset}/hl7V2Stores?hl7V2StoreId={store_id}", json=settings)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["name"])

    return make


@pytest.fixture
def hl7_store(make_store: Callable[..., str]) -> str:
    """The full name of a store with the parser V2."""
    return make_store(parserConfig={"version": "V2"})


@pytest.fixture
def ingest(client: TestClient) -> Callable[..., Any]:
    """Ingests a message; returns the response's body."""

    def ingest(store: str, data: bytes, **labels: str) -> Any:
        answer = client.post(f"/v1/{store}/messages:ingest", json=body(data, **labels))
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ingest
