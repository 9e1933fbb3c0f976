"""An emulator that is given nonsense, and what must hold of it whatever that is."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo

PROJECT = "local-project"
LOCATION = f"projects/{PROJECT}/locations/us-central1"
TIMEOUT_SECONDS = 90.0
"""No call may take so long: what takes longer hangs."""
MAX_MEMORY_MB = 1000
"""Of the server and its workers together, pages that they share counted once."""
_STAND_INS = re.compile(r"bigquery_process|fake-gcs-server")
TOKEN = "ya29.a-token-that-no-log-may-hold"
_NUMBERS = itertools.count(1)


@dataclass
class Target:
    """An emulator, and what was seen of it.

    Attributes:
        running: where it is.
        client: of its root URL.
        answers: how many answers there were, by their status.
    """

    running: ServerInfo
    client: httpx.Client
    answers: dict[int, int] = field(default_factory=dict)

    def call(self, method: str, path: str, what: str, **options: Any) -> httpx.Response:
        """Send a request, and assert that the response shows no bug of the emulator.

        Args:
            method: of HTTP.
            path: below the root.
            what: the defect of the request, for repeating it.
            options: for httpx.
        """
        answer = self.client.request(method, path, **options)
        self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
        assert answer.status_code < 500 or answer.status_code == 501, (
            f"{method} {path}: {answer.status_code} {answer.text[:300]}\nby {what}"
        )
        return answer

    def new_store(self) -> str:
        """Make a DICOM store; gives its name."""
        dataset = f"fuzz-{next(_NUMBERS)}"
        created = self.client.post(f"/v1/{LOCATION}/datasets?datasetId={dataset}", json={})
        created.raise_for_status()
        stores = f"/v1/{LOCATION}/datasets/{dataset}/dicomStores"
        return str(self.client.post(f"{stores}?dicomStoreId=s", json={}).json()["name"])

    def memory_mb(self) -> int:
        """Memory of the server and its workers.

        Not of the stand-ins: BigQuery's keeps some 4 MB for each table that was loaded.
        """
        server = psutil.Process(self.running.pid)
        total = 0
        for process in [server, *server.children(recursive=True)]:
            try:
                if not _STAND_INS.search(" ".join(process.cmdline())):
                    total += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue  # a worker that has just ended
        return total >> 20

    def check(self) -> None:
        """See that it lives, is of bounded size, told no secret and wrote nowhere else."""
        assert lifecycle.status(self.running.state), "the emulator has ended"
        assert self.memory_mb() < MAX_MEMORY_MB
        kept = self.running.state / "dicom" / "sha256"
        logs = list(self.running.state.glob("*.log"))
        assert logs
        assert [log.name for log in logs if TOKEN in log.read_text(errors="replace")] == []
        strange = [path.name for path in kept.iterdir() if not _is_digest(path.name)]
        assert strange == []
        assert [path.name for path in self.running.state.parent.iterdir()] == ["emulator"]


def grant(victim: Target) -> None:
    number = victim.client.get(f"/v1/projects/{PROJECT}").json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    roles = ("roles/bigquery.admin", "roles/storage.objectAdmin")
    policy = {"bindings": [{"role": role, "members": [agent]} for role in roles]}
    url = f"/v1/projects/{PROJECT}:setIamPolicy"
    victim.client.post(url, json={"policy": policy}).raise_for_status()


def _is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """Start an emulator in a folder that holds nothing else."""
    state = folder / "emulator"
    running = lifecycle.start(state, all_services_enabled=True)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=running.url, timeout=TIMEOUT_SECONDS, headers=headers) as client:
            yield Target(running, client)
    finally:
        lifecycle.stop(state)
