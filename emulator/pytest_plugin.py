"""pytest fixtures for tests against the local Google Cloud.

pytest finds them by the entry point of the package: see docs/emulator-in-tests.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import emulator
from emulator import ServerInfo


@dataclass(frozen=True)
class HealthcareEmulator:
    """A local Google Cloud that runs for the tests.

    Attributes:
        url: the root of its APIs, `http://127.0.0.1:PORT`
        environment: the variables that point Google's libraries and tools to it
        project: the project of that environment; any other valid project id works too
    """

    url: str
    environment: dict[str, str]
    project: str

    def healthcare(self, version: str = "v1") -> Any:
        """Return a client of the Cloud Healthcare API: google-api-python-client's `build`."""
        from googleapiclient.discovery import build

        return build(
            "healthcare",
            version,
            client_options={"api_endpoint": self.url},
            static_discovery=True,
            cache_discovery=False,
        )

    def dicom_store(self, dataset: str, store: str, location: str = "us-central1") -> str:
        """Create a DICOM store, and its dataset if that does not exist.

        Returns:
            The full name of the store.
        """
        datasets = self.healthcare().projects().locations().datasets()
        parent = f"projects/{self.project}/locations/{location}"
        name = f"{parent}/datasets/{dataset}"
        if name not in {item["name"] for item in _datasets(datasets, parent)}:
            datasets.create(parent=parent, datasetId=dataset, body={}).execute()
        created = datasets.dicomStores().create(parent=name, dicomStoreId=store, body={}).execute()
        return str(created["name"])


def _datasets(datasets: Any, parent: str) -> Iterator[dict[str, Any]]:
    request = datasets.list(parent=parent)
    while request is not None:
        page = request.execute()
        yield from page.get("datasets", [])
        request = datasets.list_next(request, page)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of the fixture."""
    parser.addini(
        "enforce_iam",
        "whether `healthcare_emulator` decides every call by the roles of its caller",
        type="bool",
        default=False,
    )


@pytest.fixture(scope="session")
def healthcare_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HealthcareEmulator]:
    """Yield a local Google Cloud for all tests of a run; the environment points to it.

    It has its own state folder and ports, and every API is enabled. It stops after the run. With
    the option `enforce_iam` in the ini file of pytest it decides every call by its caller's roles.
    """
    state = tmp_path_factory.mktemp("healthcare") / "emulator"
    enforce_iam = bool(request.config.getini("enforce_iam"))
    running = emulator.start(state, all_services_enabled=True, enforce_iam=enforce_iam)
    try:
        with pytest.MonkeyPatch.context() as patch:
            yield _entered(running, patch)
    finally:
        emulator.stop(state)


def _entered(running: ServerInfo, patch: pytest.MonkeyPatch) -> HealthcareEmulator:
    environment = running.environment()
    for name, value in environment.items():
        patch.setenv(name, value)
    return HealthcareEmulator(running.url, environment, environment["GOOGLE_CLOUD_PROJECT"])
