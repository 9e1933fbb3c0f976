"""Notifications by the settings in the singular, which version v1beta1 still has."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.hl7v2_messages import RESULT, admission

PROJECT = "local-project"
TOPIC = f"projects/{PROJECT}/topics/hl7"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/hl7"


@pytest.fixture
def store(client: TestClient, cloud: Cloud, dataset: str) -> str:
    """A store that publishes each message, by v1beta1."""
    cloud.service_usage.services.enable(PROJECT, ["pubsub.googleapis.com"])
    for path, content in ((TOPIC, {}), (SUBSCRIPTION, {"topic": TOPIC})):
        client.put(f"/v1/{path}", json=content).raise_for_status()
    publisher = {"role": "roles/pubsub.publisher", "members": ["allUsers"]}
    cloud.iam.policies.set(f"projects/{PROJECT}", {"bindings": [publisher]})
    settings = {"notificationConfig": {"pubsubTopic": TOPIC}}
    created = client.post(f"/v1beta1/{dataset}/hl7V2Stores?hl7V2StoreId=old", json=settings)
    assert created.json()["notificationConfig"] == {"pubsubTopic": TOPIC}
    return str(created.json()["name"])


@pytest.fixture
def received(client: TestClient) -> Callable[[], list[str]]:
    """A function that returns the names in the messages that the subscription has."""

    def pull() -> list[str]:
        answer = client.post(f"/v1/{SUBSCRIPTION}:pull", json={"maxMessages": 100}).json()
        data = [one["message"]["data"] for one in answer.get("receivedMessages", [])]
        return [base64.b64decode(each).decode() for each in data]

    return pull


def test_each_message_is_published(
    store: str, ingest: Callable[..., Any], received: Callable[[], list[str]]
) -> None:
    names = [ingest(store, data)["message"]["name"] for data in (admission(), RESULT)]
    ingest(store, admission())  # the same again
    assert received() == names


def test_version_v1_has_settings_in_the_plural_alone(
    client: TestClient, store: str, dataset: str
) -> None:
    settings = {"notificationConfig": {"pubsubTopic": TOPIC}}
    stores = f"/v1/{dataset}/hl7V2Stores"
    for answer in (
        client.post(f"{stores}?hl7V2StoreId=new", json=settings),
        client.patch(f"/v1/{store}?updateMask=notificationConfig", json=settings),
    ):
        assert answer.status_code == 400
        assert "notificationConfig" in answer.json()["error"]["message"]
    assert "notificationConfig" not in client.get(f"/v1/{store}").json()


def test_both_forms_exclude_each_other(client: TestClient, store: str) -> None:
    both = {
        "notificationConfig": {"pubsubTopic": TOPIC},
        "notificationConfigs": [{"pubsubTopic": TOPIC}],
    }
    mask = "notificationConfig,notificationConfigs"
    answer = client.patch(f"/v1beta1/{store}?updateMask={mask}", json=both)
    assert answer.status_code == 400
    assert "can't both be set" in answer.json()["error"]["message"]


def test_a_store_changes_to_the_plural(
    client: TestClient,
    store: str,
    ingest: Callable[..., Any],
    received: Callable[[], list[str]],
) -> None:
    news = {"notificationConfigs": [{"pubsubTopic": TOPIC, "filter": 'message_type = "ORU"'}]}
    mask = "notificationConfig,notificationConfigs"
    changed = client.patch(f"/v1beta1/{store}?updateMask={mask}", json=news).json()
    assert changed["notificationConfigs"] == news["notificationConfigs"]
    assert "notificationConfig" not in changed
    ingest(store, admission())
    name = ingest(store, RESULT)["message"]["name"]
    assert received() == [name]
