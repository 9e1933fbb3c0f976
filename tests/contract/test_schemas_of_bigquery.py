"""Every answer of BigQuery is of its discovery document's schema, or listed here with a reason.

Datasets and tables are the front's, and have no excuse. What bqemulator answers is passed on as it
is: each of its deviations is listed, and one that goes must leave the list.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from emulator.api_coverage import offline_cloud
from emulator.server.server_file import ServerInfo
from emulator.services.bigquery.routes import routes
from tests.support import schema_walk, schemas
from tests.support.schema_walk import Walk

pytestmark = pytest.mark.sockets

PROJECT = "schemas-bigquery"
with offline_cloud() as _cloud:
    _own = [one for one in routes(_cloud.bigquery) if "{path:path}" not in one.path]
OWN = schema_walk.served("bigquery", "v2", _own)

COUNTED = ".statistics.query.totalRows: JobStatistics2 has no such field"
MILLISECONDS = "{}: ... is not of format google-datetime"
NO_CLIENT_READS_IT = "an additional field, which Google's clients leave alone"
POLICIES = "clients ask which policies there are, not when they were made"
PASSED_ON: Mapping[str, Mapping[str, str]] = {
    "jobs.cancel": {f"JobCancelResponse.job{COUNTED}": NO_CLIENT_READS_IT},
    "jobs.delete": {
        "jobs.delete: 200 ... is not a 204": "clients take any success, and read no body"
    },
    "jobs.get": {f"Job{COUNTED}": NO_CLIENT_READS_IT},
    "jobs.getQueryResults": {},
    "jobs.insert": {f"Job{COUNTED}": NO_CLIENT_READS_IT},
    "jobs.list": {
        f"JobList.jobs[]{COUNTED}": NO_CLIENT_READS_IT,
        "JobList.totalItems: JobList has no such field": NO_CLIENT_READS_IT,
    },
    "jobs.query": {},
    "models.list": {},
    "projects.getServiceAccount": {},
    "projects.list": {},
    "routines.delete": {},
    "routines.get": {},
    "routines.insert": {},
    "routines.list": {
        "ListRoutinesResponse.kind: ListRoutinesResponse has no such field": NO_CLIENT_READS_IT,
        "ListRoutinesResponse.totalItems: ListRoutinesResponse has no such field": (
            NO_CLIENT_READS_IT
        ),
    },
    "routines.update": {},
    "rowAccessPolicies.batchDelete": {},
    "rowAccessPolicies.delete": {},
    **{
        f"rowAccessPolicies.{verb}": {
            f"{at}.{field}: ... is not of format google-datetime": POLICIES
            for field in ("creationTime", "lastModifiedTime")
        }
        for verb, at in (
            ("get", "RowAccessPolicy"),
            ("insert", "RowAccessPolicy"),
            ("list", "ListRowAccessPoliciesResponse.rowAccessPolicies[]"),
            ("update", "RowAccessPolicy"),
        )
    },
    "rowAccessPolicies.getIamPolicy": {},
    "rowAccessPolicies.testIamPermissions": {},
    "tabledata.insertAll": {},
    "tabledata.list": {},
}
"""Methods that bqemulator answers -> how its answers deviate -> why that may stay."""
NEVER_THERE = {"models.delete", "models.get", "models.patch"}
"""Methods of bqemulator's that are about what nothing can make there: they always answer 404."""
UNSERVED = sorted(
    schemas.methods("bigquery", "v2").keys() - {*OWN} - PASSED_ON.keys() - NEVER_THERE
)


def walk_datasets(walk: Walk) -> None:
    settings = {
        "location": "us-central1",
        "labels": {"team": "imaging"},
        "description": "DICOM",
        "friendlyName": "The lab",
        "defaultTableExpirationMs": 3_600_000,
        "defaultPartitionExpirationMs": "7200000",
        "defaultEncryptionConfiguration": {"kmsKeyName": "projects/p/locations/l/keyRings/r"},
        "maxTimeTravelHours": 96,
        "access": [{"role": "OWNER", "userByEmail": "you@example.com"}],
    }
    reference = {"datasetReference": {"projectId": PROJECT, "datasetId": "d"}}
    created = walk("datasets.insert", body={**reference, **settings}).json()
    assert created["defaultTableExpirationMs"] == "3600000"
    for other in ("_hidden", "plain"):
        walk("datasets.insert", body={"datasetReference": {"datasetId": other}})
    assert walk("datasets.get", "d").json() == created
    walk("datasets.get", "plain")
    walk("datasets.patch", "d", body={"labels": {"team": "ward"}, "maxTimeTravelHours": 48})
    walk("datasets.update", "d", body={**reference, **settings})
    listed = walk("datasets.list", params={"all": "true"}).json()["datasets"]
    assert [one["datasetReference"]["datasetId"] for one in listed] == ["_hidden", "d", "plain"]
    walk("datasets.list", params={"maxResults": "1"})
    assert {one["kind"] for one in listed} == {"bigquery#dataset"}


def walk_tables(walk: Walk) -> None:
    inner = {"name": "y", "type": "FLOAT", "mode": "NULLABLE", "description": "deep"}
    fields = [
        {"name": "a", "type": "INTEGER", "mode": "REQUIRED"},
        {"name": "s", "type": "STRING", "mode": "REPEATED"},
        {"name": "r", "type": "RECORD", "mode": "NULLABLE", "fields": [inner]},
        {"name": "day", "type": "DATE"},
    ]
    table = {
        "tableReference": {"projectId": PROJECT, "datasetId": "d", "tableId": "t"},
        "schema": {"fields": fields},
        "timePartitioning": {"type": "DAY", "field": "day", "expirationMs": 86_400_000},
        "clustering": {"fields": ["a"]},
        "labels": {"team": "imaging"},
        "description": "images",
        "friendlyName": "The images",
        "expirationTime": 4_102_444_800_000,
        "encryptionConfiguration": {"kmsKeyName": "projects/p/locations/l/keyRings/r"},
    }
    walk("tables.insert", "d", body=table)
    walk("tables.insert", "plain", body={"tableReference": {"tableId": "empty"}})
    view = {"query": f"SELECT a FROM `{PROJECT}.d.t`", "useLegacySql": False}
    walk("tables.insert", "d", body={"tableReference": {"tableId": "v"}, "view": view})
    walk("tables.patch", "d", "t", body={"labels": {"team": "ward"}})
    walk("tables.update", "d", "t", body=table)
    rows = [{"insertId": "1", "json": {"a": 1, "s": ["x", "y"], "r": {"y": 1.5}}}]
    inserted = walk("tabledata.insertAll", "d", "t", body={"rows": rows}).json()
    assert not inserted.get("insertErrors")
    for name in ("t", "v"):
        walk("tables.get", "d", name)
    walk("tables.get", "plain", "empty")
    walk("tables.list", "d")
    walk("tables.list", "d", params={"maxResults": "1"})
    [row] = walk("tabledata.list", "d", "t").json()["rows"]
    assert row["f"][0] == {"v": "1"}


def finish(walk: Walk, job: dict[str, Any]) -> dict[str, Any]:
    """Follow a job to its end."""
    while job["status"]["state"] != "DONE":
        job = walk("jobs.get", job["jobReference"]["jobId"]).json()
    return job


def walk_jobs(walk: Walk) -> None:
    """A query, one that fails, one that makes a table behind the front, and a load by upload."""

    def run(statement: str) -> dict[str, Any]:
        query = {"query": statement, "useLegacySql": False}
        return finish(walk, walk("jobs.insert", body={"configuration": {"query": query}}).json())

    job = run(f"SELECT a, s, r FROM `{PROJECT}.d.t`")["jobReference"]["jobId"]
    assert walk("jobs.get", job).json()["status"]["state"] == "DONE"
    assert walk("jobs.getQueryResults", job).json()["totalRows"] == "1"
    failed = run(f"SELECT nothing FROM `{PROJECT}.d.t`")
    assert failed["status"]["errorResult"]["reason"]
    walk("jobs.get", failed["jobReference"]["jobId"])
    run(f"CREATE TABLE `{PROJECT}.d.made` (x INT64)")
    walk("tables.get", "d", "made")
    walk("tables.list", "d")
    body = {"query": f"SELECT * FROM `{PROJECT}.d.t`", "useLegacySql": False}
    assert walk("jobs.query", body=body).json()["rows"]
    where = {"projectId": PROJECT, "datasetId": "plain", "tableId": "loaded"}
    load = {"sourceFormat": "NEWLINE_DELIMITED_JSON", "autodetect": True, "destinationTable": where}
    parts = [("application/json", json.dumps({"configuration": {"load": load}}))]
    parts.append(("application/octet-stream", '{"a": 1}\n'))
    content = "".join(
        f"--b\r\nContent-Type: {content_type}\r\n\r\n{text}\r\n" for content_type, text in parts
    )
    loaded = walk(
        "jobs.insert",
        upload=True,
        params={"uploadType": "multipart"},
        content=f"{content}--b--\r\n".encode(),
        headers={"Content-Type": "multipart/related; boundary=b"},
    ).json()
    assert finish(walk, loaded)["statistics"]["load"]["outputRows"] == "1"
    walk("jobs.get", loaded["jobReference"]["jobId"])
    walk("jobs.list", params={"projection": "full"})
    walk("jobs.cancel", job)
    walk("jobs.delete", job)


def walk_rest(walk: Walk) -> None:
    """Routines, row access policies and what there is to list."""
    number = {"typeKind": "INT64"}
    routine = {
        "routineReference": {"projectId": PROJECT, "datasetId": "d", "routineId": "f"},
        "routineType": "SCALAR_FUNCTION",
        "language": "SQL",
        "arguments": [{"name": "x", "dataType": number}],
        "returnType": number,
        "definitionBody": "x + 1",
    }
    walk("routines.insert", "d", body=routine)
    walk("routines.get", "d", "f")
    walk("routines.update", "d", "f", body=routine)
    walk("routines.list", "d")
    walk("routines.delete", "d", "f")
    table_reference = {"projectId": PROJECT, "datasetId": "d", "tableId": "t"}
    for policy in ("p", "q"):
        body = {
            "rowAccessPolicyReference": {**table_reference, "policyId": policy},
            "filterPredicate": "a = 1",
            "grantees": ["user:reader@example.org"],
        }
        walk("rowAccessPolicies.insert", "d", "t", body=body)
        walk("rowAccessPolicies.update", "d", "t", policy, body=body)
    walk("rowAccessPolicies.list", "d", "t")
    walk("rowAccessPolicies.get", "d", "t", "p")
    walk("rowAccessPolicies.getIamPolicy", "d", "t", "p", body={})
    asked = {"permissions": ["bigquery.rowAccessPolicies.get"]}
    walk("rowAccessPolicies.testIamPermissions", "d", "t", "p", body=asked)
    walk("rowAccessPolicies.batchDelete", "d", "t", body={"policyIds": ["p"]})
    walk("rowAccessPolicies.delete", "d", "t", "q")
    walk("models.list", "d")
    walk("projects.list")
    walk("projects.getServiceAccount")


@pytest.fixture(scope="module")
def walk(emulator: ServerInfo) -> Walk:
    """The walk through everything, with its end."""
    schema_walk.begin(emulator.url, PROJECT, "bigquery")
    segments = {"projectsId": PROJECT, "projectId": PROJECT}
    walk = Walk(emulator.url, "bigquery", "v2", PROJECT, segments)
    walk_datasets(walk)
    walk_tables(walk)
    walk_jobs(walk)
    walk_rest(walk)
    walk("tables.delete", "d", "v")
    walk("tables.delete", "d", "t")
    walk("datasets.delete", "d", params={"deleteContents": "true"})
    return walk


@pytest.mark.parametrize("method", [*OWN, *PASSED_ON])
def test_answers_are_of_the_schema(walk: Walk, method: str) -> None:
    assert walk.answers[method], f"{method} is served, but no walk calls it: add it to one"
    faults = {
        re.sub(r"\[\d+\]", "[]", re.sub(r"'[^']*'", "...", fault)) for fault in walk.faults(method)
    }
    assert faults == PASSED_ON.get(method, {}).keys()


@pytest.mark.parametrize("method", OWN)
def test_the_front_says_something(walk: Walk, method: str) -> None:
    assert walk.says_something(method)


@pytest.mark.parametrize(
    ("method", "ids", "sent", "code", "reason"),
    [
        ("datasets.insert", (), {"json": {"datasetReference": 1}}, 400, "invalid"),
        ("datasets.insert", (), {"content": b"no JSON"}, 400, "invalid"),
        ("datasets.insert", (), {"json": {}}, 400, "required"),
        ("datasets.get", ("absent",), {}, 404, "notFound"),
        ("datasets.list", (), {"params": {"pageToken": "x"}}, 400, "invalid"),
        ("tables.get", ("plain", "absent"), {}, 404, "notFound"),
        ("datasets.get", ("plain",), {"params": {"fields": "(("}}, 400, "invalid"),
        ("jobs.get", ("absent",), {}, 404, "notFound"),
    ],
)
def test_errors_have_a_reason(
    walk: Walk, method: str, ids: tuple[str, ...], sent: Any, code: int, reason: str
) -> None:
    answer = walk.send(method, *ids, **sent)
    assert answer.status_code == code, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    [entry] = error["errors"]
    assert (entry["reason"], entry["message"]) == (reason, error["message"])


@pytest.mark.parametrize("method", UNSERVED)
def test_what_is_not_served_says_so(walk: Walk, method: str) -> None:
    ids = re.findall(r"\{(?!projectsId)\w+\}", walk.methods[method]["flatPath"])
    answer = walk.send(method, *("x" for _ in ids))
    assert answer.status_code == 501
    error = answer.json()["error"]
    assert error["message"].startswith(f"bigquery.{method} is not served")
    assert error["errors"][0]["reason"] == "notImplemented"


@pytest.mark.parametrize("method", sorted(NEVER_THERE))
def test_what_nothing_can_make_is_not_found(walk: Walk, method: str) -> None:
    answer = walk.send(method, "plain", "x", body={} if method == "models.patch" else None)
    assert answer.status_code == 404
    assert answer.json()["error"]["errors"][0]["reason"] == "notFound"
