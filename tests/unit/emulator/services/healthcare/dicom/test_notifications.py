"""Messages about every change of an instance, with every attribute that Google documents."""

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.dicom import notifications
from emulator.services.healthcare.dicom.notifications import ChangedInstance
from emulator.services.healthcare.notifications import Action
from tests.support.dicom_files import make_dicom

PROJECT = "projects/local-project"
TOPICS = [f"{PROJECT}/topics/{name}" for name in ("one", "two")]
INSTANCE = ChangedInstance("1.2.3", "1.2.3.4", "1.2.3.4.5", "CT", "STANDARD")

Messages = list[dict[str, Any]]


@pytest.fixture
def published(client: TestClient, cloud: Cloud) -> Callable[[], tuple[Messages, Messages]]:
    """Makes two topics; gives the new messages of each."""
    agent = cloud.healthcare.context.agent.email("local-project")
    policy = {
        "bindings": [{"role": "roles/pubsub.publisher", "members": [f"serviceAccount:{agent}"]}]
    }
    for topic in TOPICS:
        client.put(f"/v1/{topic}", json={}).raise_for_status()
        subscription = topic.replace("topics", "subscriptions")
        client.put(f"/v1/{subscription}", json={"topic": topic}).raise_for_status()
        client.post(f"/v1/{topic}:setIamPolicy", json={"policy": policy}).raise_for_status()

    def pull(topic: str) -> Messages:
        subscription = topic.replace("topics", "subscriptions")
        answer = client.post(f"/v1/{subscription}:pull", json={"maxMessages": 50}).json()
        received = answer.get("receivedMessages", [])
        if received:
            ids = [one["ackId"] for one in received]
            client.post(f"/v1/{subscription}:acknowledge", json={"ackIds": ids}).raise_for_status()
        return [one["message"] for one in received]

    return lambda: (pull(TOPICS[0]), pull(TOPICS[1]))


@pytest.fixture
def configure(client: TestClient, store: str) -> Callable[..., None]:
    """Sets the notifications of the store."""

    def configure(**body: Any) -> None:
        mask = ",".join(body)
        client.patch(f"/v1/{store}?updateMask={mask}", json=body).raise_for_status()

    return configure


def finish(client: TestClient, answer: Any) -> None:
    answer.raise_for_status()
    while not client.get(f"/v1/{answer.json()['name']}").json().get("done"):
        time.sleep(0.01)


def test_settings_in_the_plural_ask_for_every_change(
    client: TestClient, store: str, published: Any, configure: Any
) -> None:
    configure(notificationConfigs=[{"pubsubTopic": topic} for topic in TOPICS])
    web = f"/v1/{store}/dicomWeb/studies"
    headers = {"Content-Type": "application/dicom"}
    for number in (1, 2):
        content = make_dicom(Modality="CT", SOPInstanceUID=f"1.2.3.4.{number}")
        client.post(web, content=content, headers=headers).raise_for_status()
    stored = published()
    settings = {"blobStorageSettings": {"blobStorageClass": "NEARLINE"}}
    finish(client, client.post(f"/v1/{store}:setBlobStorageSettings", json=settings))
    moved = published()
    client.delete(f"{web}/1.2.3/series/1.2.3.4/instances/1.2.3.4.1").raise_for_status()
    deleted = published()
    finish(client, client.delete(f"{web}/1.2.3"))
    study_deleted = published()
    expected = [
        (stored, "StoreInstances", "12", {"storageClass": "STANDARD"}),
        (
            moved,
            "SetBlobSettings",
            "12",
            {"storageClass": "NEARLINE", "previousStorageClass": "STANDARD"},
        ),
        (deleted, "DeleteInstances", "1", {"storageClass": "NEARLINE"}),
        (study_deleted, "DeleteInstances", "2", {"storageClass": "NEARLINE"}),
    ]
    for (first, second), action, numbers, more in expected:
        assert [one["attributes"] for one in first] == [one["attributes"] for one in second]
        assert len(first) == len(numbers)
        for last, message in zip(numbers, first, strict=True):
            sop = f"1.2.3.4.{last}"
            name = f"{store}/dicomWeb/studies/1.2.3/series/1.2.3.4/instances/{sop}"
            assert base64.b64decode(message["data"]).decode() == name
            attributes = message["attributes"]
            moment = parsedate_to_datetime(attributes.pop("lastUpdatedTime"))
            assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
            assert attributes.pop("versionId").isdecimal()
            assert attributes == {
                "action": action,
                "storeName": store,
                "studyInstanceUID": "1.2.3",
                "seriesInstanceUID": "1.2.3.4",
                "sopInstanceUID": sop,
                "modality": "CT",
                **more,
            }


@pytest.mark.parametrize(
    ("config", "actions"),
    [
        ({"notificationConfigs": [{"pubsubTopic": TOPICS[0]}]}, list(Action)),
        ({"notificationConfig": {"pubsubTopic": TOPICS[0]}}, [Action.STORED]),
        (
            {"notificationConfig": {"pubsubTopic": TOPICS[0], "sendForBulkImport": True}},
            [Action.STORED, Action.IMPORTED],
        ),
    ],
)
def test_which_actions_are_published(
    store: str,
    cloud: Cloud,
    published: Any,
    configure: Any,
    config: dict[str, Any],
    actions: list[Action],
) -> None:
    configure(**config)
    for action in Action:
        notifications.publish(cloud.healthcare.context.notifier, store, action, [INSTANCE])
    assert [one["attributes"]["action"] for one in published()[0]] == actions


def test_the_time_is_as_in_rfc_1123(
    store: str, cloud: Cloud, published: Any, configure: Any
) -> None:
    configure(notificationConfigs=[{"pubsubTopic": TOPICS[0]}])
    notifications.publish(cloud.healthcare.context.notifier, store, Action.STORED, [INSTANCE])
    [message] = published()[0]
    moment = datetime.strptime(
        message["attributes"]["lastUpdatedTime"], "%a, %d %b %Y %H:%M:%S GMT"
    ).replace(tzinfo=UTC)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
