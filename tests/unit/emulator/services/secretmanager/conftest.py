"""A project that uses Secret Manager."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.secrets import SecretsApi


@pytest.fixture
def api(cloud: Cloud, client: TestClient) -> Any:
    """Calls of Secret Manager in `local-project`."""
    cloud.service_usage.services.enable("local-project", ["secretmanager.googleapis.com"])
    return SecretsApi(client)
