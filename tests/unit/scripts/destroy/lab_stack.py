"""A stack on paper: what the engine would do with it, and with the cloud."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from scripts.removal.state import State
from tests.unit.scripts.adoption.services import DATASET, PROJECT
from tests.unit.scripts.removal.cloud import GET, Cloud

Report = Callable[[str], None]

ROOT = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"
PROVIDER = "urn:pulumi:s::p::pulumi:providers:gcp::default"
STORE = f"{DATASET}/dicomStores/dicomstore1"
WAREHOUSE = f"projects/{PROJECT}/datasets/dataset1"
TOPIC = f"projects/{PROJECT}/topics/t"
SERVICE = f"projects/{PROJECT}/services/healthcare.googleapis.com"
ROLE, AGENT = "roles/bigquery.admin", "serviceAccount:agent@p.iam.gserviceaccount.com"
TIME = "2026-11-20T12:00:00.123456789Z"


def resource(name: str, type_: str, id_: str, /, **outputs: Any) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:s::p::{type_}::{name}",
        "type": type_,
        "custom": True,
        "id": id_,
        "parent": ROOT,
        "provider": f"{PROVIDER}::1",
        "outputs": outputs,
        "modified": TIME,
    }


def lab() -> list[dict[str, Any]]:
    """A dataset with a store, a warehouse, a topic, a grant and a service."""
    dataset = resource("dataset", "gcp:healthcare/dataset:Dataset", DATASET)
    store = resource("store", "gcp:healthcare/dicomStore:DicomStore", STORE)
    return [
        {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False},
        {
            "urn": PROVIDER,
            "type": "pulumi:providers:gcp",
            "custom": True,
            "id": "1",
            "inputs": {"project": PROJECT},
        },
        dataset,
        {**store, "dependencies": [dataset["urn"]]},
        resource(
            "warehouse",
            "gcp:bigquery/dataset:Dataset",
            WAREHOUSE,
            datasetId="dataset1",
            deleteContentsOnDestroy=True,
        ),
        resource("topic", "gcp:pubsub/topic:Topic", TOPIC),
        resource(
            "grant",
            "gcp:projects/iAMMember:IAMMember",
            f"{PROJECT}/{ROLE}/{AGENT}",
            project=PROJECT,
            role=ROLE,
            member=AGENT,
        ),
        resource(
            "service",
            "gcp:projects/service:Service",
            f"{PROJECT}/healthcare.googleapis.com",
            service="healthcare.googleapis.com",
        ),
    ]


def fill(cloud: Cloud) -> None:
    """Have the cloud hold the lab, and what others made beside it."""
    bindings = [{"role": ROLE, "members": [AGENT, "user:anna@example.org"]}]
    cloud.found = {
        DATASET: {},
        STORE: {},
        f"{DATASET}/dicomStores": {"dicomStores": [{"name": STORE}]},
        TOPIC: {},
        SERVICE: {"state": "ENABLED"},
        f"projects/{PROJECT}/topics/theirs": {},
        f"{PROJECT}{GET}": {"bindings": bindings},
    }
    cloud.tables = {f"{PROJECT}.dataset1": {}, f"{PROJECT}.theirs": {"t": "TABLE"}}


class Paper:
    """Stands in for `Engine`: the state is a list, and destroying is crossing out in the cloud.

    Attributes:
        said: every call, in order.
        before_destroy: called as the engine begins to destroy.
        keeps: ids that the cloud does not delete, whatever the engine believes.
    """

    stack = "local"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.resources = lab()
        self.pending: list[dict[str, Any]] = []
        self.updated: datetime | None = None
        self.calls: list[str] = []
        self.targets: list[str] | None = None
        self.before_destroy: Callable[[], None] = lambda: None
        self.keeps: set[str] = set()

    def project(self) -> str:
        return "p"

    def read(self) -> State:
        deployment = {"resources": self.resources, "pending_operations": self.pending}
        return State.from_json({"deployment": deployment})

    def last_update(self) -> datetime | None:
        return self.updated

    def settle(self, report: Report) -> None:
        self.calls.append("settle")
        self.pending = []

    def wait_for_others(self, timeout: float, say: Report) -> None:
        self.calls.append("wait")

    def preview_destroy(
        self, targets: Sequence[str] | None, report: Report, *, color: bool
    ) -> None:
        self.calls.append("preview")
        report("Previewing destroy (local)")

    def destroy(self, targets: Sequence[str] | None, report: Report, *, color: bool) -> None:
        self.calls.append("destroy")
        self.targets = None if targets is None else [u.rpartition("::")[2] for u in targets]
        report("Destroying (local)")
        self.before_destroy()
        chosen = [r for r in self.resources if targets is None or r["urn"] in targets]
        for each in chosen:
            if each.get("id") not in self.keeps and not each.get("retainOnDelete"):
                self._cross_out(each)
        self.resources = [r for r in self.resources if r not in chosen]

    def _cross_out(self, body: dict[str, Any]) -> None:
        id_ = body.get("id", "")
        self.cloud.found = {
            name: found
            for name, found in self.cloud.found.items()
            if not f"{name}/".startswith(f"{id_}/") or not id_
        }
        if body["type"] == "gcp:bigquery/dataset:Dataset":
            self.cloud.tables.pop(f"{PROJECT}.dataset1")
        if body["type"] == "gcp:projects/iAMMember:IAMMember":
            for binding in self.cloud.found[f"{PROJECT}{GET}"]["bindings"]:
                binding["members"] = [m for m in binding["members"] if m != AGENT]
