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
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from tests.support.dicom_files import make_dicom

PROJECT = "projects/local-project"
TOPICS = [f"{PROJECT}/topics/{name}" for name in ("one", "two")]

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
        ({"notificationConfig": {"pubsubTopic": TOPICS[0]}}, [Action.STORED, Action.UPDATED]),
        (
            {"notificationConfig": {"pubsubTopic": TOPICS[0], "sendForBulkImport": True}},
            [Action.STORED, Action.IMPORTED, Action.UPDATED],
        ),
    ],
)
def test_which_actions_are_published(config: dict[str, Any], actions: list[Action]) -> None:
    assert [action for action in Action if notifications.topics(config, action)] == actions


def test_the_time_is_as_in_rfc_1123(
    store: str,
    cloud: Cloud,
    published: Any,
    configure: Any,
    incoming: Callable[[bytes], StagedFile],
) -> None:
    configure(notificationConfigs=[{"pubsubTopic": TOPICS[0]}])
    cloud.healthcare.dicom.contents.add(store, [incoming(make_dicom())])
    [message] = published()[0]
    moment = datetime.strptime(
        message["attributes"]["lastUpdatedTime"], "%a, %d %b %Y %H:%M:%S GMT"
    ).replace(tzinfo=UTC)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_message_is_committed_with_its_instance_or_not_at_all(
    store: str,
    cloud: Cloud,
    published: Any,
    configure: Any,
    incoming: Callable[[bytes], StagedFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(notificationConfigs=[{"pubsubTopic": topic} for topic in TOPICS])
    contents = cloud.healthcare.dicom.contents
    with monkeypatch.context() as patch:
        patch.setattr(contents.blobs, "fsync_dir", _fail)
        with pytest.raises(OSError, match="no disk"):
            contents.add(store, [incoming(make_dicom(SOPInstanceUID="1.2.3.4.1"))])
    assert published() == ([], [])
    contents.add(store, [incoming(make_dicom(SOPInstanceUID="1.2.3.4.1"))])
    contents.add(store, [incoming(make_dicom(SOPInstanceUID="1.2.3.4.1"))])
    for received in published():
        assert [one["attributes"]["sopInstanceUID"] for one in received] == ["1.2.3.4.1"]


def _fail() -> None:
    raise OSError("no disk")


def test_what_can_not_be_published_is_logged_and_the_instance_stays(
    client: TestClient,
    store: str,
    cloud: Cloud,
    published: Any,
    configure: Any,
    incoming: Callable[[bytes], StagedFile],
) -> None:
    configure(notificationConfigs=[{"pubsubTopic": topic} for topic in TOPICS])
    client.post(f"/v1/{TOPICS[0]}:setIamPolicy", json={"policy": {}}).raise_for_status()
    client.delete(f"/v1/{TOPICS[1]}").raise_for_status()
    cloud.healthcare.dicom.contents.add(store, [incoming(make_dicom(SOPInstanceUID="1.2"))])
    assert published()[0] == []
    publisher = {"role": "roles/pubsub.publisher", "members": ["allUsers"]}
    cloud.iam.policies.set(PROJECT, {"bindings": [publisher]})
    cloud.healthcare.dicom.contents.add(store, [incoming(make_dicom(SOPInstanceUID="1.3"))])
    [message] = published()[0]
    assert message["attributes"]["sopInstanceUID"] == "1.3"
    assert len(client.get(f"/v1/{store}/dicomWeb/instances").json()) == 2
    entries = [entry for _, entry in cloud.logging.entries.page(["local-project"], None, 99)]
    dropped = [one["jsonPayload"] for one in entries if "dicom_notification" in one["logName"]]
    assert [(one["pubsubTopic"], one["error"]["code"]) for one in dropped] == [
        (TOPICS[0], 7),
        (TOPICS[1], 7),
        (TOPICS[1], 5),
    ]
