"""A cloud on paper, for every client that the tear-down makes."""

from functools import partial
from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts.adoption import lookup
from scripts.common import clients
from tests.unit.scripts.removal.cloud import Cloud

APIS = {
    "healthcare": ("healthcare", clients.healthcare),
    "pubsub": ("pubsub", clients.pubsub),
    "kms": ("cloudkms", clients.key_management),
    "serviceusage": ("serviceusage", clients.service_usage),
    "resourcemanager": ("cloudresourcemanager", clients.resource_manager),
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The services, empty."""
    fake = Cloud()

    def client(name: str) -> Any:
        return build(name, "v1", http=fake, static_discovery=True, cache_discovery=False)

    for api, (name, make) in APIS.items():
        _, variable = lookup.APIS[api]
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setitem(lookup.APIS, api, (partial(client, name), variable))
        monkeypatch.setattr(clients, make.__name__, partial(client, name))
    monkeypatch.setattr(clients, "big_query", fake.big_query)
    monkeypatch.setattr(clients, "cloud_storage", fake.storage)
    return fake
