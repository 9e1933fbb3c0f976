"""Faults on demand: which calls they meet, and what those get to see."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.core import discovery
from emulator.faults.models import Fault, Faults

GET = "healthcare.projects.locations.datasets.get"


def put(client: TestClient, **fault: Any) -> int:
    answer = client.post("/_emulator/faults", json={"method": GET, **fault})
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["number"]
    return number


def test_a_refused_call_carries_googles_error(client: TestClient, dataset: str) -> None:
    put(client, status=429, message="slow down", retry_after=7)
    answer = client.get(f"/v1/{dataset}")
    assert answer.status_code == 429
    error = answer.json()["error"]
    assert (error["status"], error["message"]) == ("RESOURCE_EXHAUSTED", "slow down")
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("method", ["healthcare.nosuch", "healthcare.projects.*.gett", "none.*"])
def test_a_fault_for_no_method_is_refused(client: TestClient, method: str) -> None:
    answer = client.post("/_emulator/faults", json={"method": method, "status": 503})
    assert answer.status_code == 400
    assert f"No method matches '{method}'" in answer.json()["error"]["message"]


def test_other_calls_are_answered(client: TestClient, dataset: str) -> None:
    put(client, status=503)
    parent = dataset.rpartition("/datasets/")[0]
    assert client.get(f"/v1/{parent}/datasets").json()["datasets"][0]["name"] == dataset


def test_a_fault_ends_after_so_many_calls(client: TestClient, dataset: str) -> None:
    put(client, status=503, times=2)
    codes = [client.get(f"/v1beta1/{dataset}").status_code for _ in range(4)]
    assert codes == [503, 503, 200, 200]


def test_one_call_in_so_many(client: TestClient, dataset: str) -> None:
    put(client, status=500, every=3)
    codes = [client.get(f"/v1/{dataset}").status_code for _ in range(7)]
    assert codes == [500, 200, 200, 500, 200, 200, 500]
    [listed] = client.get("/_emulator/faults").json()["faults"]
    assert (listed["met"], listed["broken"]) == (7, 3)
    assert listed["phrase"] == "500 Internal Server Error, one call in 3"


def test_a_late_answer_is_whole(client: TestClient, dataset: str) -> None:
    put(client, delay=0.01)
    assert client.get(f"/v1/{dataset}").json()["name"] == dataset


def test_cleared_faults_break_nothing(client: TestClient, dataset: str) -> None:
    kept, gone = put(client, status=503, method="pubsub.*"), put(client, status=503)
    client.delete(f"/_emulator/faults?number={gone}").raise_for_status()
    assert client.get(f"/v1/{dataset}").status_code == 200
    left = [fault["number"] for fault in client.get("/_emulator/faults").json()["faults"]]
    assert left == [kept]
    client.delete("/_emulator/faults").raise_for_status()
    assert client.get("/_emulator/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({}, "A fault needs a status, a delay or a cut."),
        ({"status": 418}, "status 418 is not one of 400, 401"),
        ({"status": "503"}, "'503' is not a valid status of a fault."),
        ({"status": 503, "times": 0}, "times and every must be at least 1."),
        ({"delay": 1e9}, "between 0 and 600 seconds"),
        ({"cut": -1}, "cut must not be negative."),
        (
            {"status": 503, "often": 1},
            "often is not a field of a fault. The fields are method, status",
        ),
        ({"status": 503, "method": ""}, "A fault needs a method"),
    ],
)
def test_faults_that_make_no_sense(
    client: TestClient, fault: dict[str, Any], complaint: str
) -> None:
    answer = client.post("/_emulator/faults", json={"method": GET, **fault})
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


@pytest.mark.parametrize("query", ["number=7", "number=x"])
def test_a_fault_that_is_not_there_can_not_be_cleared(client: TestClient, query: str) -> None:
    kept = put(client, status=503)
    assert client.delete(f"/_emulator/faults?{query}").status_code in (400, 404)
    assert [one["number"] for one in client.get("/_emulator/faults").json()["faults"]] == [kept]


def test_the_oldest_fault_comes_first() -> None:
    faults = Faults()
    faults.add(Fault("healthcare.*", status=503, times=1))
    faults.add(Fault("*", status=429))
    met = [fault.status for _ in range(2) if (fault := faults.match(GET))]
    assert met == [503, 429]


@pytest.mark.parametrize(
    ("verb", "path", "method"),
    [
        ("POST", "/bigquery/v2/projects/p/jobs", "bigquery.jobs.insert"),
        ("POST", "/resumable/upload/bigquery/v2/projects/p/jobs", "bigquery.jobs.insert"),
        ("GET", "/bigquery/v2/projects/p/queries/q", "bigquery.jobs.getQueryResults"),
        ("GET", "/storage/v1/b/b/o", "storage.objects.list"),
        ("GET", "/download/storage/v1/b/b/o/a/b.dcm", "storage.objects.get"),
        ("POST", "/upload/storage/v1/b/b/o", "storage.objects.insert"),
        ("GET", "/storage/v1/b/b/iam", "storage.buckets.getIamPolicy"),
        ("POST", "/storage/v1/b/b/o/a/rewriteTo/b/c/o/d/e", "storage.objects.rewrite"),
        ("GET", "/v1/projects/p", "cloudresourcemanager.projects.get"),
        ("GET", "/v1/b/b/o", None),
        ("GET", "/b/b/o/a", "storage.objects.get"),
        ("GET", "/b", "storage.buckets.list"),
        ("POST", "/projects/p/queries", "bigquery.jobs.query"),
        ("GET", "/projects", "bigquery.projects.list"),
        ("GET", "/", None),
    ],
)
def test_calls_of_bigquery_and_cloud_storage_are_methods_too(
    verb: str, path: str, method: str | None
) -> None:
    assert discovery.method_of(verb, path) == method


@pytest.mark.parametrize(
    ("path", "method", "status", "reason"),
    [
        ("bigquery/v2/projects/p/jobs/j", "bigquery.jobs.get", 429, "rateLimitExceeded"),
        ("bigquery/v2/projects/p/jobs/j", "bigquery.jobs.get", 503, "backendError"),
        ("storage/v1/b/one/o", "storage.objects.list", 429, "rateLimitExceeded"),
        ("storage/v1/b/one/o", "storage.objects.list", 503, "backendError"),
    ],
)
def test_a_refusal_has_the_shape_of_its_service(
    client: TestClient, path: str, method: str, status: int, reason: str
) -> None:
    put(client, method=method, status=status, message="not now")
    answer = client.get(f"/{path}")
    assert answer.status_code == status
    [entry] = answer.json()["error"]["errors"]
    assert (entry["reason"], entry["message"]) == (reason, "not now")
