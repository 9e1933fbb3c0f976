"""Sinks and log-based metrics as resources."""

from typing import Any

import pytest
from starlette.testclient import TestClient

SINKS, METRICS = "/v2/projects/local-project/sinks", "/v2/projects/local-project/metrics"
DATASET = "bigquery.googleapis.com/projects/local-project/datasets/logs"
SINK = {
    "name": "audit",
    "destination": DATASET,
    "filter": 'log_id("cloudaudit.googleapis.com/data_access")',
    "bigqueryOptions": {"usePartitionedTables": True},
}


@pytest.fixture
def sink(client: TestClient) -> dict[str, Any]:
    answer = client.post(f"{SINKS}?uniqueWriterIdentity=true", json=SINK)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_a_sink_has_an_identity_of_the_project_that_may_be_granted_roles(
    client: TestClient, sink: dict[str, Any]
) -> None:
    number = client.get("/v1/projects/local-project").json()["projectNumber"]
    writer = f"serviceAccount:service-{number}@gcp-sa-logging.iam.gserviceaccount.com"
    assert sink["writerIdentity"] == writer
    assert sink["resourceName"] == "projects/local-project/sinks/audit"
    assert sink["createTime"] == sink["updateTime"]
    assert sink["bigqueryOptions"] == {
        "usePartitionedTables": True,
        "usesTimestampColumnPartitioning": True,
    }
    assert client.get(f"{SINKS}/audit").json() == sink
    assert client.get(SINKS).json() == {"sinks": [sink]}
    bindings = [{"role": "roles/bigquery.dataEditor", "members": [writer]}]
    granted = client.post(
        "/v1/projects/local-project:setIamPolicy", json={"policy": {"bindings": bindings}}
    )
    assert granted.status_code == 200, granted.text


def test_a_sink_without_an_identity_of_its_own_writes_as_the_service(client: TestClient) -> None:
    created = client.post(SINKS, json={**SINK, "destination": "storage.googleapis.com/b1"}).json()
    assert created["writerIdentity"] == "serviceAccount:cloud-logs@system.gserviceaccount.com"


def test_an_update_changes_what_its_mask_names(client: TestClient, sink: dict[str, Any]) -> None:
    change = {"filter": "severity>=ERROR", "destination": "storage.googleapis.com/b1"}
    url = f"{SINKS}/audit?updateMask=filter&uniqueWriterIdentity=true"
    changed = client.patch(url, json=change).json()
    assert changed["filter"] == "severity>=ERROR"
    assert changed["destination"] == DATASET
    assert changed["writerIdentity"] == sink["writerIdentity"]
    assert changed["createTime"] == sink["createTime"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"destination": "ftp://x"}, 400, "destination"),
        ({"destination": "pubsub.googleapis.com/projects/p/topics/t"}, 501, "pubsub"),
        ({"filter": "severity>=="}, 400, "filter"),
        ({"name": "a/b"}, 400, "a/b"),
        ({"nothing": 1}, 400, "nothing"),
    ],
)
def test_invalid_sinks(client: TestClient, change: dict[str, Any], status: int, text: str) -> None:
    answer = client.post(SINKS, json={**SINK, **change})
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_a_deleted_sink_is_gone(client: TestClient, sink: dict[str, Any]) -> None:
    assert client.post(SINKS, json=SINK).status_code == 409
    client.delete(f"{SINKS}/{sink['name']}").raise_for_status()
    missing = client.get(f"{SINKS}/audit")
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "Sink audit does not exist"


def test_a_metric_with_a_slash_in_its_name(client: TestClient) -> None:
    body = {"name": "audit/access", "filter": "severity>=ERROR", "description": "d"}
    created = client.post(METRICS, json=body).json()
    type_ = "logging.googleapis.com/user/audit/access"
    assert created["metricDescriptor"] == {
        "metricKind": "DELTA",
        "valueType": "INT64",
        "name": f"projects/local-project/metricDescriptors/{type_}",
        "type": type_,
    }
    url = f"{METRICS}/audit%2Faccess"
    assert client.get(url).json() == created
    changed = client.put(url, json={**body, "description": "e"}).json()
    assert (changed["description"], changed["createTime"]) == ("e", created["createTime"])
    assert client.get(METRICS).json()["metrics"] == [changed]
    client.delete(url).raise_for_status()
    assert client.get(url).status_code == 404


def test_a_metric_needs_a_filter(client: TestClient) -> None:
    answer = client.post(METRICS, json={"name": "m"})
    assert answer.status_code == 400
    assert "filter" in answer.json()["error"]["message"]
