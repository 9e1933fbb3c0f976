"""Fixtures for those who test their own code against the local Google Cloud.

Installed with the package, pytest finds them by itself: see docs/emulator-in-tests.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator.layout import Running


@dataclass(frozen=True)
class HealthcareEmulator:
    """A local Google Cloud that runs for the tests.

    Attributes:
        url: The root of its APIs, `http://127.0.0.1:PORT`.
        environment: The variables that lead Google's libraries and tools to it.
        project: The project of that environment; any other valid id is one too.
    """

    url: str
    environment: dict[str, str]
    project: str

    def healthcare(self, version: str = "v1") -> Any:
        """A client of the Cloud Healthcare API: google-api-python-client's `build`."""
        from googleapiclient.discovery import build

        return build(
            "healthcare",
            version,
            client_options={"api_endpoint": self.url},
            static_discovery=True,
            cache_discovery=False,
        )

    def dicom_store(self, dataset: str, store: str, location: str = "us-central1") -> str:
        """Make a DICOM store, and its dataset if there is none.

        Returns:
            The full name of the store.
        """
        datasets = self.healthcare().projects().locations().datasets()
        parent = f"projects/{self.project}/locations/{location}"
        name = f"{parent}/datasets/{dataset}"
        if name not in {item["name"] for item in _datasets(datasets, parent)}:
            datasets.create(parent=parent, datasetId=dataset, body={}).execute()
        made = datasets.dicomStores().create(parent=name, dicomStoreId=store, body={}).execute()
        return str(made["name"])


def _datasets(datasets: Any, parent: str) -> Iterator[dict[str, Any]]:
    request = datasets.list(parent=parent)
    while request is not None:
        page = request.execute()
        yield from page.get("datasets", [])
        request = datasets.list_next(request, page)


@pytest.fixture(scope="session")
def healthcare_emulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[HealthcareEmulator]:
    """A local Google Cloud for all tests of a run, in the environment while it lasts.

    It has a state folder and ports of its own, every API enabled, and ends with the run.
    """
    from emulator import processes

    state = tmp_path_factory.mktemp("healthcare") / "emulator"
    running = processes.start(state, all_services_enabled=True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            yield _entered(running, patch)
    finally:
        processes.stop(state)


def _entered(running: "Running", patch: pytest.MonkeyPatch) -> HealthcareEmulator:
    environment = running.environment()
    for name, value in environment.items():
        patch.setenv(name, value)
    return HealthcareEmulator(running.url, environment, environment["GOOGLE_CLOUD_PROJECT"])
