"""The emulator that the benchmarks use: its own state folder, a project, stores and buckets."""

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.clones import BenchmarkError
from emulator.core.settings import PROJECT
from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from emulator.services.storage import object_files

LOCATION = "us-central1"
DATASET = f"projects/{PROJECT}/locations/{LOCATION}/datasets/benchmark"
BIGQUERY_DATASET = "benchmark"
ROLES = ("roles/bigquery.dataEditor", "roles/bigquery.jobUser", "roles/storage.objectViewer")
LOOK_SECONDS = 0.05
WRITERS, WRITTEN_AT_ONCE = 8, 1000
"""Threads that write objects, and objects that are in memory for them."""


@dataclass(frozen=True)
class Done:
    """An operation that succeeded.

    Attributes:
        seconds: from the request to the operation's `endTime`
        ended: the operation's `endTime`, in seconds since 1970
        success: files or instances that succeeded
    """

    seconds: float
    ended: float
    success: int


@dataclass
class Local:
    """A running emulator with everything that a benchmark needs."""

    running: ServerInfo
    http: httpx.Client
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def storage(self) -> Path:
        """The folder of the storage server."""
        return self.running.state / "storage"

    def environment(self) -> dict[str, str]:
        """Return the environment for programs that use this emulator."""
        return {
            **os.environ,
            **self.running.environment(),
            "LAB_DIR": str(self.running.state.parent),
        }

    def post(self, path: str, body: Any, **parameters: Any) -> dict[str, Any]:
        """Send JSON and return the response.

        Raises:
            BenchmarkError: The response is an error.
        """
        answer = self.http.post(path, json=body, params=parameters)
        if not answer.is_success:
            raise BenchmarkError(f"POST {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    def new_store(self) -> str:
        """Create an empty DICOM store and return its full name."""
        name = f"store{next(self._numbers)}"
        store = self.post(f"/v1/{DATASET}/dicomStores", {}, dicomStoreId=name)
        return str(store["name"])

    @contextmanager
    def store(self) -> Iterator[str]:
        """Yield an empty DICOM store, and delete it so that no later round finds a file there."""
        store = self.new_store()
        yield store
        self.http.delete(f"/v1/{store}").raise_for_status()

    def table(self) -> str:
        """Return the name of a new table."""
        return f"{PROJECT}.{BIGQUERY_DATASET}.table{next(self._numbers)}"

    def bucket(self, name: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Create a bucket with objects in it."""
        self.post("/storage/v1/b", {"name": name}, project=PROJECT)
        self.add_objects(name, files)

    def add_objects(self, bucket: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Add objects to a bucket."""
        drafts = self.storage.with_name("benchmark-drafts")

        def write(named: tuple[str, bytes]) -> None:
            file = self.storage / bucket / named[0]
            object_files.write_object(file, drafts, named[1], "application/dicom", {})

        # Each object is fsynced: writers that wait for the disk at the same time wait less.
        remaining = iter(files)
        with ThreadPoolExecutor(WRITERS) as writers:
            while some := list(itertools.islice(remaining, WRITTEN_AT_ONCE)):
                list(writers.map(write, some))

    def operation(self, path: str, body: dict[str, Any]) -> Done:
        """Start an operation and wait for its end."""
        began = time.time()
        name = self.post(path, body)["name"]
        while not (found := self.http.get(f"/v1/{name}").json()).get("done"):
            time.sleep(LOOK_SECONDS)
        return done(found, began)

    def bring_in(self, store: str, uri: str) -> Done:
        """Import files."""
        return self.operation(f"/v1/{store}:import", {"gcsSource": {"uri": uri}})


def done(operation: dict[str, Any], began: float) -> Done:
    """Return the result of an operation that ended.

    Raises:
        BenchmarkError: The operation or one of its files failed.
    """
    metadata = operation["metadata"]
    counter = metadata["counter"]
    if "error" in operation or int(counter.get("failure", 0)):
        raise BenchmarkError(f"{operation['name']}: {operation.get('error', counter)}")
    ended = datetime.fromisoformat(metadata["endTime"]).timestamp()
    return Done(ended - began, ended, int(counter["success"]))


@contextmanager
def running(folder: Path) -> Iterator[Local]:
    """Run an emulator with the lab's bucket filled, and stop it when the context ends."""
    state = folder / "emulator"
    found = lifecycle.start(state, all_services_enabled=True)
    try:
        with httpx.Client(base_url=found.url, timeout=300) as client:
            local = Local(found, client)
            _prepare(local)
            yield local
    finally:
        lifecycle.stop(state)


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
