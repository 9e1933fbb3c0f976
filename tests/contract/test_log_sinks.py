"""Sinks of Cloud Logging into BigQuery and Cloud Storage, under Google's clients."""

import json
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from googleapiclient.discovery import build

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets
FILTER = 'log_id("cloudaudit.googleapis.com/activity") AND protoPayload.methodName:"Topic"'
TABLE = "cloudaudit_googleapis_com_activity"


@pytest.fixture
def sinks(emulator: ServerInfo) -> Any:
    options = {"api_endpoint": emulator.url}
    service = build("logging", "v2", client_options=options, static_discovery=True)
    return service.projects().sinks()


def create(sinks: Any, project: str, name: str, destination: str) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name, "destination": destination, "filter": FILTER}
    if destination.startswith("bigquery"):
        body["bigqueryOptions"] = {"usePartitionedTables": True}
    parent = f"projects/{project}"
    created: dict[str, Any] = sinks.create(
        parent=parent, body=body, uniqueWriterIdentity=True
    ).execute()
    return created


def change_topics(emulator: ServerInfo, project: str) -> None:
    url = f"{emulator.url}/v1/projects/{project}/topics"
    headers = {"Authorization": "Bearer local:user:anna@example.com"}
    for id_ in ("t1", "t2"):
        http.put(f"{url}/{id_}x", json={}, headers=headers).raise_for_status()


def test_a_sink_fills_a_partitioned_table(emulator: ServerInfo, project: str, sinks: Any) -> None:
    client = bigquery.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]
    dataset = client.create_dataset("logs")
    destination = f"bigquery.googleapis.com/projects/{project}/datasets/logs"
    sink = create(sinks, project, "to-bigquery", destination)
    email = sink["writerIdentity"].partition(":")[2]
    writer = bigquery.AccessEntry("WRITER", "userByEmail", email)
    dataset.access_entries = [*dataset.access_entries, writer]
    client.update_dataset(dataset, ["access_entries"])
    change_topics(emulator, project)

    def rows() -> list[Any]:
        if TABLE not in [table.table_id for table in client.list_tables("logs")]:
            return []
        query = (
            "SELECT protopayload_auditlog.authenticationInfo.principalEmail, "
            f"protopayload_auditlog.resourceName, resource.type FROM logs.{TABLE} ORDER BY 2"
        )
        return [tuple(row) for row in client.query_and_wait(query)]

    wait_until(lambda: len(rows()) == 2, "the sink does not write")
    names = [f"projects/{project}/topics/{id_}" for id_ in ("t1x", "t2x")]
    assert rows() == [("anna@example.com", name, "pubsub_topic") for name in names]
    table = client.get_table(f"logs.{TABLE}")
    assert table.time_partitioning.field == "timestamp"


def test_a_sink_writes_an_object_for_each_hour(
    emulator: ServerInfo, project: str, sinks: Any
) -> None:
    client = storage.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"{project}-logs")
    sink = create(sinks, project, "to-bucket", f"storage.googleapis.com/{bucket.name}")
    policy = bucket.get_iam_policy(requested_policy_version=3)
    role = {"role": "roles/storage.objectCreator", "members": {sink["writerIdentity"]}}
    policy.bindings.append(role)
    bucket.set_iam_policy(policy)
    change_topics(emulator, project)

    def entries() -> list[dict[str, Any]]:
        lines = [blob.download_as_text().splitlines() for blob in client.list_blobs(bucket)]
        return [json.loads(line) for each in lines for line in each]

    wait_until(lambda: len(entries()) == 2, "the sink does not write")
    payloads = [entry["protoPayload"] for entry in entries()]
    assert {one["methodName"] for one in payloads} == {"google.pubsub.v1.Publisher.CreateTopic"}
    for blob in client.list_blobs(bucket):
        folder, _, name = blob.name.rpartition("/")
        assert folder.startswith("cloudaudit.googleapis.com/activity/20")
        assert name.endswith(":00:00_" + name[:2] + ":59:59_S0.json")


def test_a_sink_without_a_grant_says_so(emulator: ServerInfo, project: str, sinks: Any) -> None:
    client = storage.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"{project}-closed")
    create(sinks, project, "refused", f"storage.googleapis.com/{bucket.name}")
    change_topics(emulator, project)

    def errors() -> list[str]:
        body = {
            "resourceNames": [f"projects/{project}"],
            "filter": 'log_id("logging.googleapis.com/sink_error")',
        }
        listed = http.post(f"{emulator.url}/v2/entries:list", json=body).json()
        return [entry["textPayload"] for entry in listed.get("entries", [])]

    wait_until(lambda: bool(errors()), "the refusal is not logged")
    [error] = errors()
    assert "sink refused: permission_denied" in error
    assert list(client.list_blobs(bucket)) == []
