"""The emulated services in process: no sockets, no neighbours."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.settings import Settings
from emulator.services.healthcare.dicom.pixels.gdcm_process import GdcmProcess
from emulator.services.healthcare.dicom.pixels.pydicom_setup import configure_pydicom
from tests.support.emulator_names import LOCATION
from tests.support.new_state import write_new_state


@pytest.fixture
def open_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Opens the state in `tmp_path`, as each start of the emulator does."""
    opened: list[Cloud] = []

    def make(**settings: Any) -> Cloud:
        urls: dict[str, Any] = dict.fromkeys(
            ("root_url", "bigquery_url", "storage_url"), "http://127.0.0.1:1"
        )
        write_new_state(tmp_path)
        opened.append(Cloud(Settings(state_dir=tmp_path, **urls, **settings)))
        return opened[-1]

    yield make
    for cloud in opened:
        cloud.close()


@pytest.fixture
def cloud(open_cloud: Callable[..., Cloud]) -> Cloud:
    """The state of all services, empty."""
    return open_cloud()


@pytest.fixture
def client(cloud: Cloud) -> Iterator[TestClient]:
    """A client of a project that uses Healthcare and Pub/Sub, whose service agent exists."""
    cloud.service_usage.services.enable(
        "local-project", ["healthcare.googleapis.com", "pubsub.googleapis.com"]
    )
    cloud.service_usage.services.make_identity("local-project", "healthcare.googleapis.com")
    app = create_app(cloud)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def dataset(client: TestClient) -> str:
    """The full name of a dataset."""
    client.post(f"/v1/{LOCATION}/datasets?datasetId=dataset1", json={}).raise_for_status()
    return f"{LOCATION}/datasets/dataset1"


@pytest.fixture(scope="session", autouse=True)
def gdcm() -> Iterator[GdcmProcess]:
    """The process of GDCM for tests that parse or decode without a server."""
    process = GdcmProcess()
    configure_pydicom(process)
    yield process
    process.close()
