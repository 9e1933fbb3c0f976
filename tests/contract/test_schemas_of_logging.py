"""Answers of Cloud Logging and Cloud Monitoring about settings are of their documents' schemas."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http, schemas

pytestmark = pytest.mark.sockets
SINK = {
    "name": "s1",
    "destination": "bigquery.googleapis.com/projects/p1/datasets/d1",
    "filter": "severity>=ERROR",
    "bigqueryOptions": {"usePartitionedTables": True},
    "exclusions": [{"name": "e1", "filter": "noise"}],
}
METRIC = {
    "name": "m1",
    "filter": "severity>=ERROR",
    "metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64", "labels": [{"key": "who"}]},
    "labelExtractors": {"who": "EXTRACT(protoPayload.authenticationInfo.principalEmail)"},
}
POLICY = {
    "displayName": "a1",
    "combiner": "OR",
    "conditions": [{"displayName": "c1", "conditionMatchedLog": {"filter": "severity>=ERROR"}}],
    "alertStrategy": {"notificationRateLimit": {"period": "300s"}},
    "userLabels": {"env": "lab"},
}
CHANNEL = {"type": "email", "labels": {"email_address": "a@example.com"}, "displayName": "n1"}
Send = Callable[..., dict[str, Any]]


@pytest.fixture
def send(emulator: ServerInfo) -> Send:
    """Calls a method, and compares its answer with a message of the API."""

    def call(api: str, version: str, method: str, path: str, message: str, body: Any = None) -> Any:
        answer = http.request(method, f"{emulator.url}/{version}/{path}", json=body)
        assert answer.is_success, answer.text
        assert schemas.faults(api, version, message, answer.json()) == []
        return answer.json()

    return call


@pytest.mark.parametrize(
    ("collection", "message", "list_message", "body", "update"),
    [
        ("sinks", "LogSink", "ListSinksResponse", SINK, "PATCH"),
        ("metrics", "LogMetric", "ListLogMetricsResponse", METRIC, "PUT"),
    ],
)
def test_settings_of_logging(
    send: Send,
    project: str,
    collection: str,
    message: str,
    list_message: str,
    body: dict[str, Any],
    update: str,
) -> None:
    parent = f"projects/{project}/{collection}"
    created = send("logging", "v2", "POST", parent, message, body)
    assert created["filter"] == body["filter"]
    name = f"{parent}/{created['name']}"
    assert send("logging", "v2", "GET", name, message) == created
    listed = send("logging", "v2", "GET", parent, list_message)
    assert listed[collection] == [created]
    changed = send("logging", "v2", update, name, message, {**body, "filter": "severity>=ALERT"})
    assert changed["filter"] == "severity>=ALERT"
    send("logging", "v2", "DELETE", name, "Empty")


@pytest.mark.parametrize(
    ("collection", "message", "plural", "body"),
    [
        ("alertPolicies", "AlertPolicy", "AlertPolicies", POLICY),
        ("notificationChannels", "NotificationChannel", "NotificationChannels", CHANNEL),
    ],
)
def test_settings_of_monitoring(
    send: Send, project: str, collection: str, message: str, plural: str, body: dict[str, Any]
) -> None:
    parent = f"projects/{project}/{collection}"
    created = send("monitoring", "v3", "POST", parent, message, body)
    assert created["displayName"] == body["displayName"]
    assert send("monitoring", "v3", "GET", created["name"], message) == created
    listed = send("monitoring", "v3", "GET", parent, f"List{plural}Response")
    assert listed[collection] == [created]
    path = f"{created['name']}?updateMask=displayName"
    changed = send("monitoring", "v3", "PATCH", path, message, {"displayName": "other"})
    assert changed["displayName"] == "other"
    assert changed["name"] == created["name"]
    send("monitoring", "v3", "DELETE", created["name"], "Empty")
