from types import SimpleNamespace
from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts.common import clients, leftovers
from scripts.common.deploy import Resource
from scripts.common.leftovers import Made
from tests.unit.scripts.fakes import DATASET, STORE, FakeGoogle

AGENT = "serviceAccount:service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"
PROJECT = "local-project"


def _resource(kind: str, name: str = "", *, retained: bool = False, **outputs: str) -> Resource:
    return Resource(kind, f"urn:{name}", name, outputs, retained=retained)


STATE = [
    _resource("pulumi:pulumi:Stack"),
    _resource("pulumi:providers:gcp"),
    _resource("gcp:projects/service:Service", f"{PROJECT}/healthcare.googleapis.com"),
    _resource("gcp:healthcare/dataset:Dataset", DATASET),
    _resource("gcp:healthcare/dicomStore:DicomStore", STORE),
    _resource("gcp:healthcare/hl7Store:Hl7Store", f"{DATASET}/hl7V2Stores/h"),
    _resource(
        "gcp:projects/iAMMember:IAMMember",
        project=PROJECT,
        role="roles/bigquery.admin",
        member=AGENT,
    ),
    _resource("gcp:bigquery/dataset:Dataset", f"projects/{PROJECT}/datasets/dataset1"),
    _resource("gcp:pubsub/topic:Topic", f"projects/{PROJECT}/topics/t", retained=True),
]


def test_what_can_be_proved_is_named_and_nothing_else() -> None:
    made = leftovers.made_by(STATE)
    assert [(thing.kind, thing.name) for thing in made] == [
        ("Healthcare dataset", DATASET),
        ("DICOM store", STORE),
        ("HL7v2 store", f"{DATASET}/hl7V2Stores/h"),
        ("role binding", f"roles/bigquery.admin for {AGENT} in {PROJECT}"),
        ("BigQuery dataset", f"projects/{PROJECT}/datasets/dataset1"),
        ("Pub/Sub topic", f"projects/{PROJECT}/topics/t"),
    ]
    assert {thing.project for thing in made} == {PROJECT}
    assert [thing.retained for thing in made] == [False] * 5 + [True]
    assert [Made(**thing.to_json()) for thing in made] == made


class Lists(FakeGoogle):
    """Answers by the end of the path."""

    def __init__(self, lists: dict[str, Any]) -> None:
        super().__init__()
        self.lists = lists

    def request(self, uri: str, *args: Any, **more: Any) -> Any:
        path = uri.partition("?")[0].rpartition("/")[2]
        if "pageToken" in uri:
            path += " 2"
        self.answers = [(200, self.lists.get(path, {}))]
        return super().request(uri, *args, **more)


def _serve(monkeypatch: pytest.MonkeyPatch, lists: dict[str, Any], big_query: list[str]) -> Lists:
    fake = Lists(lists)

    def client(service: str) -> Any:
        return build(service, "v1", http=fake, static_discovery=True, cache_discovery=False)

    monkeypatch.setattr(clients, "healthcare", lambda: client("healthcare"))
    monkeypatch.setattr(clients, "resource_manager", lambda: client("cloudresourcemanager"))
    monkeypatch.setattr(clients, "pubsub", lambda: client("pubsub"))
    found = [SimpleNamespace(project=PROJECT, dataset_id=name) for name in big_query]
    monkeypatch.setattr(
        clients, "big_query", lambda project: SimpleNamespace(list_datasets=lambda: found)
    )
    return fake


def test_everything_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"bindings": [{"role": "roles/bigquery.admin", "members": ["user:a@b.example"]}]}
    fake = _serve(monkeypatch, {f"{PROJECT}:getIamPolicy": others}, ["other"])
    assert leftovers.still_there(leftovers.made_by(STATE)) == []
    asked = [uri.partition("?")[0].rpartition("/")[2] for _, uri, _ in fake.asked]
    assert asked == ["datasets", f"{PROJECT}:getIamPolicy", "topics"]


def test_everything_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {
        # The dataset is on the second page: lists are read to their end.
        "datasets": {"datasets": [{"name": "other"}], "nextPageToken": "x"},
        "datasets 2": {"datasets": [{"name": DATASET}]},
        "dicomStores": {"dicomStores": [{"name": STORE}]},
        "hl7V2Stores": {"hl7V2Stores": [{"name": f"{DATASET}/hl7V2Stores/h"}]},
        "topics": {"topics": [{"name": f"projects/{PROJECT}/topics/t"}]},
        f"{PROJECT}:getIamPolicy": {
            "bindings": [{"role": "roles/bigquery.admin", "members": ["user:x", AGENT]}]
        },
    }
    _serve(monkeypatch, lists, ["dataset1"])
    made = leftovers.made_by(STATE)
    assert leftovers.still_there(made) == made


def test_a_store_of_a_dataset_that_stayed_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, {"datasets": {"datasets": [{"name": DATASET}]}}, [])
    left = leftovers.still_there(leftovers.made_by(STATE))
    assert [thing.kind for thing in left] == ["Healthcare dataset"]
