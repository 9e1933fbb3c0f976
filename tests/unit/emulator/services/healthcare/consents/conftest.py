"""Consent stores in process."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.consent_store import ConsentStore


@pytest.fixture
def make_store(client: TestClient, dataset: str) -> Callable[..., ConsentStore]:
    """Creates a consent store with settings."""

    def make(store_id: str, **settings: Any) -> ConsentStore:
        return ConsentStore(client, dataset, store_id, **settings)

    return make


@pytest.fixture
def store(make_store: Callable[..., ConsentStore]) -> ConsentStore:
    """A store with the attributes `kind` and `purpose`."""
    return make_store("consents")
