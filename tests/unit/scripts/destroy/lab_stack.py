"""The lab's stack and the cloud that it made, for tests of the tear-down."""

from collections.abc import Collection
from typing import Any

from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.cloud import GET, Cloud
from tests.unit.scripts.services import DATASET, PROJECT

ROOT = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"
PROVIDER = "urn:pulumi:s::p::pulumi:providers:gcp::default"
STORE = f"{DATASET}/dicomStores/dicomstore1"
BIGQUERY_DATASET = f"projects/{PROJECT}/datasets/dataset1"
TOPIC = f"projects/{PROJECT}/topics/t"
SERVICE = f"projects/{PROJECT}/services/healthcare.googleapis.com"
ROLE, AGENT = "roles/bigquery.admin", "serviceAccount:agent@p.iam.gserviceaccount.com"
TIME = "2026-11-20T12:00:00.123456789Z"


def entry(name: str, type_: str, id_: str = "", /, **fields: Any) -> dict[str, Any]:
    """Return a resource of an exported state, child of the stack."""
    return {
        "urn": f"urn:pulumi:s::p::{type_}::{name}",
        "type": type_,
        "custom": True,
        "id": id_,
        "parent": ROOT,
        "provider": f"{PROVIDER}::1",
        **fields,
    }


def resource(name: str, type_: str, id_: str, /, **outputs: Any) -> dict[str, Any]:
    """Return a resource as an update writes it, with its outputs."""
    return entry(name, type_, id_, outputs={"id": id_, **outputs}, modified=TIME)


def lab() -> list[dict[str, Any]]:
    """A dataset with a store, a BigQuery dataset, a topic, a grant and a service."""
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
            BIGQUERY_DATASET,
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


def lab_stack(cloud: Cloud, keeps: Collection[str] = ()) -> FakeEngine:
    """Return the lab's stack; destroying deletes from the cloud.

    Args:
        cloud: holds the lab
        keeps: ids that the cloud does not delete, though the engine believes it
    """
    stack = FakeEngine()
    stack.resources = lab()
    stack.delete = lambda body: None if body.get("id") in keeps else _delete(cloud, body)
    return stack


def _delete(cloud: Cloud, body: dict[str, Any]) -> None:
    id_ = body.get("id", "")
    cloud.found = {
        name: found
        for name, found in cloud.found.items()
        if not f"{name}/".startswith(f"{id_}/") or not id_
    }
    if body["type"] == "gcp:bigquery/dataset:Dataset":
        cloud.tables.pop(f"{PROJECT}.dataset1")
    if body["type"] == "gcp:projects/iAMMember:IAMMember":
        for binding in cloud.found[f"{PROJECT}{GET}"]["bindings"]:
            binding["members"] = [m for m in binding["members"] if m != AGENT]
