"""Audit logs of BigQuery and Cloud Storage under Google's clients."""

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from emulator.server.server_file import ServerInfo
from tests.support import http

pytestmark = pytest.mark.sockets


def payloads(emulator: ServerInfo, project: str, log: str, service: str) -> list[dict[str, Any]]:
    body = {
        "resourceNames": [f"projects/{project}"],
        "filter": f'log_id("cloudaudit.googleapis.com/{log}") '
        f'AND protoPayload.serviceName="{service}.googleapis.com"',
    }
    listed = http.post(f"{emulator.url}/v2/entries:list", json=body).json()
    return [entry["protoPayload"] for entry in listed.get("entries", [])]


def ask_for(emulator: ServerInfo, project: str, *types: str) -> None:
    logs = [{"logType": type_} for type_ in types]
    policy = {"auditConfigs": [{"service": "allServices", "auditLogConfigs": logs}]}
    body = {"policy": policy, "updateMask": "auditConfigs"}
    url = f"{emulator.url}/v1/projects/{project}:setIamPolicy"
    http.post(url, json=body).raise_for_status()


def test_queries_are_logged_without_being_asked_for(emulator: ServerInfo, project: str) -> None:
    client = bigquery.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]
    client.create_dataset("d")
    job = client.query("SELECT 1")
    assert [tuple(row) for row in job.result()] == [(1,)]
    [created] = payloads(emulator, project, "activity", "bigquery")
    assert created["methodName"] == "google.cloud.bigquery.v2.DatasetService.InsertDataset"
    assert created["resourceName"] == f"projects/{project}/datasets/d"
    first = payloads(emulator, project, "data_access", "bigquery")[0]
    assert first["methodName"] == "google.cloud.bigquery.v2.JobService.InsertJob"
    assert first["resourceName"] == f"projects/{project}/jobs/{job.job_id}"
    assert first["authenticationInfo"] == {"principalEmail": "you@example.com"}


def test_objects_are_logged_as_the_project_asks(emulator: ServerInfo, project: str) -> None:
    client = storage.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"{project}-audited")
    bucket.blob("before.txt").upload_from_string("before")
    ask_for(emulator, project, "DATA_READ", "DATA_WRITE")
    bucket.blob("a/b.txt").upload_from_string("text")
    assert bucket.blob("a/b.txt").download_as_bytes() == b"text"

    [created] = payloads(emulator, project, "activity", "storage")
    assert created["methodName"] == "storage.buckets.create"
    assert created["resourceName"] == f"projects/_/buckets/{bucket.name}"
    written, *read = payloads(emulator, project, "data_access", "storage")
    name = f"projects/_/buckets/{bucket.name}/objects/a/b.txt"
    assert (written["methodName"], written["resourceName"]) == ("storage.objects.create", name)
    assert {(one["methodName"], one["resourceName"]) for one in read} == {
        ("storage.objects.get", name)
    }
