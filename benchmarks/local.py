"""The emulator as the benchmarks use it: a state folder of its own, a project, stores, buckets."""

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.clones import BenchmarkError
from emulator import processes
from emulator.endpoints import PROJECT
from emulator.layout import Running
from emulator.storage import objects

LOCATION = "us-central1"
DATASET = f"projects/{PROJECT}/locations/{LOCATION}/datasets/benchmark"
BIGQUERY_DATASET = "benchmark"
ROLES = ("roles/bigquery.dataEditor", "roles/bigquery.jobUser", "roles/storage.objectViewer")
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Done:
    """An operation that has ended well.

    Attributes:
        seconds: from the request until the service noted the end.
        ended: when that was, in seconds since 1970.
        success: how many files or instances went through.
    """

    seconds: float
    ended: float
    success: int


@dataclass
class Local:
    """A running emulator with all that a benchmark needs in it."""

    running: Running
    http: httpx.Client
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def storage(self) -> Path:
        """The folder of the storage server."""
        return self.running.state / "storage"

    def environment(self) -> dict[str, str]:
        """The environment of programs that are to use it."""
        return {
            **os.environ,
            **self.running.environment(),
            "LAB_DIR": str(self.running.state.parent),
        }

    def post(self, path: str, body: Any, **parameters: Any) -> dict[str, Any]:
        """Send JSON.

        Raises:
            BenchmarkError: it is refused.
        """
        answer = self.http.post(path, json=body, params=parameters)
        if not answer.is_success:
            raise BenchmarkError(f"POST {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    def new_store(self) -> str:
        """Make an empty DICOM store; its full name."""
        name = f"store{next(self._numbers)}"
        made = self.post(f"/v1/{DATASET}/dicomStores", {}, dicomStoreId=name)
        return str(made["name"])

    @contextmanager
    def store(self) -> Iterator[str]:
        """Give an empty DICOM store, deleted afterwards: no later round finds a file there."""
        store = self.new_store()
        yield store
        self.http.delete(f"/v1/{store}").raise_for_status()

    def table(self) -> str:
        """The name of a table that is not there yet."""
        return f"{PROJECT}.{BIGQUERY_DATASET}.table{next(self._numbers)}"

    def bucket(self, name: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Make a bucket with objects in it."""
        self.post("/storage/v1/b", {"name": name}, project=PROJECT)
        drafts = self.storage.with_name("benchmark-drafts")
        for path, content in files:
            file = self.storage / name / path
            objects.put(file, drafts, content, "application/dicom", {})

    def operation(self, path: str, body: dict[str, Any]) -> Done:
        """Run an operation to its end."""
        began = time.time()
        name = self.post(path, body)["name"]
        while not (found := self.http.get(f"/v1/{name}").json()).get("done"):
            time.sleep(LOOK_SECONDS)
        return done(found, began)

    def bring_in(self, store: str, uri: str) -> Done:
        """Import files."""
        return self.operation(f"/v1/{store}:import", {"gcsSource": {"uri": uri}})


def done(operation: dict[str, Any], began: float) -> Done:
    """Judge an operation that has ended.

    Raises:
        BenchmarkError: it failed, or some file did.
    """
    metadata = operation["metadata"]
    counter = metadata["counter"]
    if "error" in operation or int(counter.get("failure", 0)):
        raise BenchmarkError(f"{operation['name']}: {operation.get('error', counter)}")
    ended = datetime.fromisoformat(metadata["endTime"]).timestamp()
    return Done(ended - began, ended, int(counter["success"]))


@contextmanager
def running(folder: Path) -> Iterator[Local]:
    """Run an emulator of one's own, the lab's bucket filled, as long as the context lasts."""
    state = folder / "emulator"
    found = processes.start(state, all_services_enabled=True)
    try:
        with httpx.Client(base_url=found.url, timeout=300) as client:
            local = Local(found, client)
            _prepare(local)
            yield local
    finally:
        processes.stop(state)


def _prepare(local: Local) -> None:
    dataset, name = DATASET.rsplit("/", 1)
    local.post(f"/v1/{dataset}", {}, datasetId=name)
    reference = {"projectId": PROJECT, "datasetId": BIGQUERY_DATASET}
    body = {"datasetReference": reference, "location": LOCATION}
    local.post(f"/bigquery/v2/projects/{PROJECT}/datasets", body)
    project = f"/v1/projects/{PROJECT}"
    local.post(f"{project}/services/healthcare.googleapis.com:generateServiceIdentity", {})
    number = local.http.get(project).json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = local.post(f"{project}:getIamPolicy", {})
    bindings = [{"role": role, "members": [agent]} for role in ROLES]
    policy["bindings"] = [*policy.get("bindings", []), *bindings]
    local.post(f"{project}:setIamPolicy", {"policy": policy})
