"""Cloud Logging's REST API in process: entries, filters, pages, logs."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.logging import entries as log_entries

LOG = "projects/local-project/logs/app"
RESOURCE = {"type": "global", "labels": {"project_id": "local-project"}}
Call = Callable[..., Any]


@pytest.fixture
def write(client: TestClient) -> Call:
    """Writes entries to the log."""

    def call(*entries: dict[str, Any], **more: Any) -> Any:
        body = {"logName": LOG, "resource": RESOURCE, "entries": list(entries), **more}
        return client.post("/v2/entries:write", json=body)

    return call


@pytest.fixture
def listed(client: TestClient) -> Call:
    """Lists entries."""

    def call(text: str = "", **more: Any) -> Any:
        body = {"resourceNames": ["projects/local-project"], "filter": text, **more}
        answer = client.post("/v2/entries:list", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return call


def texts(answer: dict[str, Any]) -> list[str]:
    return [entry["textPayload"] for entry in answer.get("entries", [])]


def test_an_entry_gets_what_it_lacks_and_the_labels_of_the_request(
    write: Call, listed: Call
) -> None:
    given = {"textPayload": "one", "labels": {"site": "b"}}
    assert write(given, labels={"site": "a", "team": "x"}).json() == {}
    [entry] = listed()["entries"]
    assert entry["logName"] == LOG
    assert entry["resource"] == RESOURCE
    assert entry["labels"] == {"site": "b", "team": "x"}
    assert entry["severity"] == "DEFAULT"
    assert entry["insertId"]
    assert entry["timestamp"] <= entry["receiveTimestamp"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["low", "high"]),
        ("severity>=ERROR", ["high"]),
        ('logName="projects/local-project/logs/APP"', ["low", "high"]),
        ('logName:"none"', []),
        ("jsonPayload.error.code=3", ["high"]),
        ("jsonPayload.error.code>=4", []),
        ('jsonPayload.error.message:"EMPTY"', ["high"]),
        ('jsonPayload.error.message=~"^empty .* found$"', ["high"]),
        ('operation.id="o1" severity=ERROR', ["high"]),
        ('operation.id="o1" OR labels.site="a"', ["low", "high"]),
        ('NOT labels.site="a"', ["high"]),
        ('timestamp>="2100-01-01T00:00:00Z"', []),
        ("instance", ["high"]),
        ('log_id("app") AND SEARCH("instance")', ["high"]),
        ('resource.type=("global" OR "other")', ["low", "high"]),
    ],
)
def test_filters(write: Call, listed: Call, text: str, wanted: list[str]) -> None:
    error = {"code": 3, "message": "empty DICOM instance found"}
    write(
        {"textPayload": "low", "labels": {"site": "a"}},
        {
            "textPayload": "high",
            "severity": "ERROR",
            "operation": {"id": "o1"},
            "jsonPayload": {"error": error},
        },
    )
    assert texts(listed(text)) == wanted


def test_pages_in_both_orders(write: Call, listed: Call) -> None:
    for hour in (3, 1, 2):
        write({"textPayload": str(hour), "timestamp": f"2100-01-01T0{hour}:00:00+00:00"})
    first = listed(pageSize=2)
    assert texts(first) == ["1", "2"]
    assert texts(listed(pageSize=2, pageToken=first["nextPageToken"])) == ["3"]
    newest = listed(orderBy="timestamp desc", pageSize=2)
    assert texts(newest) == ["3", "2"]
    token = newest["nextPageToken"]
    assert texts(listed(orderBy="timestamp desc", pageSize=2, pageToken=token)) == ["1"]


def test_a_duplicate_is_kept_once(write: Call, listed: Call) -> None:
    entry = {"textPayload": "one", "insertId": "i1", "timestamp": "2100-01-01T00:00:00Z"}
    write(entry)
    write(entry, {**entry, "insertId": "i2"})
    assert texts(listed()) == ["one", "one"]


def test_entries_are_deleted_after_thirty_days(
    cloud: Cloud, write: Call, listed: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"textPayload": "old", "timestamp": "2020-01-01T00:00:00Z"}, {"textPayload": "new"})
    assert texts(listed()) == ["new"]
    monkeypatch.setattr(log_entries, "_PURGE_INTERVAL_SECONDS", 0)
    monkeypatch.setattr(cloud.logging.entries, "_next_purge", 0)
    write({"textPayload": "newer"})
    with cloud.database.read() as connection:
        assert connection.execute("SELECT COUNT(*) FROM log_entries").fetchone()[0] == 2


def test_logs_are_listed_and_deleted(client: TestClient, write: Call, listed: Call) -> None:
    write({"textPayload": "a"}, {"textPayload": "b", "logName": f"{LOG}/part"})
    url = "/v2/projects/local-project/logs"
    encoded = "projects/local-project/logs/app%2Fpart"
    audit = "projects/local-project/logs/cloudaudit.googleapis.com%2Factivity"
    assert client.get(url).json() == {"logNames": [LOG, encoded]}
    assert client.delete(f"{url}/app%2Fpart").json() == {}
    assert client.get(url).json() == {"logNames": [LOG, audit]}
    assert texts(listed(f'logName="{LOG}"')) == ["a"]
    [deletion] = listed("DeleteLog")["entries"]
    assert deletion["protoPayload"]["resourceName"] == "projects/local-project/logs/app/part"


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        ({"entries": []}, "entries is required"),
        ({"entries": [{}], "resource": RESOURCE}, "log_name is required"),
        ({"entries": [{}], "logName": LOG}, "resource is required"),
        ({"entries": [{"colour": "red"}]}, "Cannot find field"),
        (
            {
                "entries": [{"textPayload": "x", "timestamp": "yesterday"}],
                "logName": LOG,
                "resource": RESOURCE,
            },
            "timestamp",
        ),
    ],
)
def test_what_can_not_be_written_is_refused(
    client: TestClient, listed: Call, body: dict[str, Any], culprit: str
) -> None:
    answer = client.post("/v2/entries:write", json=body)
    assert (answer.status_code, culprit in answer.text) == (400, True)
    assert listed() == {}


def test_an_entry_that_is_too_large_is_refused(write: Call) -> None:
    assert write({"textPayload": "x" * (256 << 10)}).status_code == 413


@pytest.mark.parametrize(
    ("body", "code", "culprit"),
    [
        ({}, 400, "resource_names is required"),
        ({"resourceNames": ["local-project"]}, 400, "projects/PROJECT"),
        ({"resourceNames": ["folders/1"]}, 501, "folders/1"),
        ({"resourceNames": ["projects/local-project"], "orderBy": "severity"}, 400, "severity"),
        ({"resourceNames": ["projects/local-project"], "filter": "colour=red"}, 400, "colour"),
    ],
)
def test_what_can_not_be_listed_is_refused(
    client: TestClient, body: dict[str, Any], code: int, culprit: str
) -> None:
    answer = client.post("/v2/entries:list", json=body)
    assert (answer.status_code, culprit in answer.text) == (code, True)
