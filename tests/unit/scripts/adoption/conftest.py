"""Services that answer from a dictionary."""

from functools import partial
from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts.adoption import lookup
from tests.unit.scripts.adoption.services import Services

NAMES = {"kms": "cloudkms", "resourcemanager": "cloudresourcemanager"}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services, for every `Lookup` of the test."""
    fake = Services()

    def client(api: str) -> Any:
        name = NAMES.get(api, api)
        return build(name, "v1", http=fake, static_discovery=True, cache_discovery=False)

    for api, (_, variable) in lookup.APIS.items():
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setitem(lookup.APIS, api, (partial(client, api), variable))
    return fake
