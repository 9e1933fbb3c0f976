"""Event notifications of secrets: who may publish, what is published, and what is not."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.secrets import SecretsApi

NAME = "projects/123456789012/secrets/tls"
TOPIC = "projects/local-project/topics/secrets"
SUBSCRIPTION = "projects/local-project/subscriptions/secrets"
AGENT = "service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com"
TOPICS = [{"name": TOPIC}]


class Received:
    """The events of a topic."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def take(self) -> list[dict[str, Any]]:
        """Return the attributes of new messages, each with its data as `data`."""
        pulled = self._client.post(f"/v1/{SUBSCRIPTION}:pull", json={"maxMessages": 100}).json()
        received = pulled.get("receivedMessages", [])
        if ids := [one["ackId"] for one in received]:
            url = f"/v1/{SUBSCRIPTION}:acknowledge"
            self._client.post(url, json={"ackIds": ids}).raise_for_status()
        return [
            {**one["attributes"], "data": json.loads(base64.b64decode(one["data"]))}
            for one in (one["message"] for one in received)
        ]

    def types(self) -> list[str]:
        """Return the types of new events."""
        return [event["eventType"] for event in self.take()]


@pytest.fixture
def received(api: SecretsApi, client: TestClient, cloud: Cloud) -> Received:
    """The events of a topic that the service agent may publish to."""
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    client.put(f"/v1/{SUBSCRIPTION}", json={"topic": TOPIC}).raise_for_status()
    cloud.service_usage.services.make_identity("local-project", "secretmanager.googleapis.com")
    set_publishers(client, f"serviceAccount:{AGENT}")
    return Received(client)


def set_publishers(client: TestClient, *members: str) -> None:
    binding = {"role": "roles/pubsub.publisher", "members": [*members]}
    policy = {"policy": {"bindings": [binding] if members else []}}
    client.post(f"/v1/{TOPIC}:setIamPolicy", json=policy).raise_for_status()


def test_each_change_is_an_event(api: SecretsApi, received: Received) -> None:
    created = api.create(topics=TOPICS).json()
    configured, event = received.take()
    assert configured["eventType"] == "TOPIC_CONFIGURED"
    assert datetime.fromisoformat(event.pop("timestamp")).timestamp() <= time.time()
    assert event == {
        "eventType": "SECRET_CREATE",
        "dataFormat": "JSON_API_V1",
        "secretId": NAME,
        "data": created,
    }
    api.patch("labels", labels={"a": "b"}).raise_for_status()
    assert received.types() == ["SECRET_UPDATE"]
    added = api.add(b"payload").json()
    [event] = received.take()
    assert (event["eventType"], event["versionId"]) == ("SECRET_VERSION_ADD", f"{NAME}/versions/1")
    assert event["data"] == added
    assert api.content() == b"payload"
    for verb in ("disable", "enable", "destroy"):
        api.post(f"tls/versions/1:{verb}").raise_for_status()
    expected = [f"SECRET_VERSION_{verb}" for verb in ("DISABLE", "ENABLE", "DESTROY")]
    assert received.types() == expected
    api.delete().raise_for_status()
    [event] = received.take()
    assert (event["eventType"], event["deleteType"]) == ("SECRET_DELETE", "REQUESTED")


def test_deadlines_are_events(
    api: SecretsApi, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create(topics=TOPICS, ttl="600000s", versionDestroyTtl="86400s").raise_for_status()
    api.add(b"payload").raise_for_status()
    api.post("tls/versions/1:destroy").raise_for_status()
    assert received.types()[-1] == "SECRET_VERSION_DESTROY_SCHEDULED"
    now = time.time()
    for ahead, state in ((90_000, "DESTROYED"), (700_000, None)):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: now + ahead)
        assert api.get("tls/versions/1").json().get("state") == state
        monkeypatch.setattr(time, "time", lambda: now)
    destroyed, deleted = received.take()
    assert (destroyed["eventType"], destroyed["data"]["state"]) == (
        "SECRET_VERSION_DESTROY",
        "DESTROYED",
    )
    assert (deleted["eventType"], deleted["deleteType"]) == ("SECRET_DELETE", "EXPIRATION")


def test_a_topic_that_can_not_be_published_to(
    api: SecretsApi, received: Received, client: TestClient
) -> None:
    set_publishers(client)
    message = api.create(topics=TOPICS).json()["error"]["message"]
    assert message == (
        f"{AGENT} does not have pubsub.topics.publish on {TOPIC}: grant it roles/pubsub.publisher."
    )
    assert api.get().status_code == 404
    api.create().raise_for_status()
    assert api.patch("topics", topics=TOPICS).status_code == 400
    assert "topics" not in api.get().json()
    assert received.take() == []


def test_an_agent_that_does_not_exist_is_named(api: SecretsApi, client: TestClient) -> None:
    answer = api.create(topics=TOPICS)
    assert answer.status_code == 400
    assert f"The service agent {AGENT} does not exist" in answer.json()["error"]["message"]


def test_a_topic_that_does_not_exist_is_named(api: SecretsApi, received: Received) -> None:
    other = "projects/local-project/topics/other"
    policy = {
        "bindings": [{"role": "roles/pubsub.publisher", "members": [f"serviceAccount:{AGENT}"]}]
    }
    api.client.post("/v1/projects/local-project:setIamPolicy", json={"policy": policy})
    message = api.create(topics=[{"name": other}]).json()["error"]["message"]
    assert message == f"The topic {other} does not exist."


def test_a_change_succeeds_though_its_event_is_dropped(
    api: SecretsApi, received: Received, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    api.create(topics=TOPICS).raise_for_status()
    received.take()
    set_publishers(client)
    api.add(b"payload").raise_for_status()
    assert received.take() == []
    assert f"dropped the event SECRET_VERSION_ADD of {NAME}" in caplog.text
    assert "payload" not in caplog.text


def test_rotation_and_topics_are_kept(api: SecretsApi, received: Received) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    rotation = {"nextRotationTime": tomorrow, "rotationPeriod": "86400s"}
    created = api.create(rotation=rotation, topics=TOPICS).json()
    assert (created["rotation"], created["topics"]) == (rotation, TOPICS)
