"""A DICOM store notifies its topic of new instances, stored and imported."""

import base64
import queue
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import google.cloud.pubsub_v1 as pubsub_v1
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from pydicom.data import get_testdata_file

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets
IMAGES = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/00000001_00*.dcm"


class Watched:
    """A store that notifies a topic, and a subscription of that topic."""

    def __init__(
        self, root: str, project: str, agent: str, *, several: bool = False, **config: Any
    ) -> None:
        self.root, self.project = root, project
        self.topic = f"projects/{project}/topics/instances"
        self.subscription = f"projects/{project}/subscriptions/watch"
        self.call("PUT", self.topic)
        self.call("PUT", self.subscription, {"topic": self.topic})
        self.allow(agent)
        parent = f"projects/{project}/locations/us-central1"
        self.call("POST", f"{parent}/datasets?datasetId=d")
        setting = {"pubsubTopic": self.topic, **config}
        body = {"notificationConfigs": [setting]} if several else {"notificationConfig": setting}
        stores = f"{parent}/datasets/d/dicomStores"
        self.store = self.call("POST", f"{stores}?dicomStoreId=ct", body)["name"]

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = http.request(
            method, f"{self.root}/v1/{path}", json=body or {}, timeout=PATIENCE_SECONDS
        )
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def allow(self, *members: str) -> None:
        """Let exactly these members publish to the topic."""
        bindings = [{"role": "roles/pubsub.publisher", "members": [*members]}] if members else []
        self.call("POST", f"{self.topic}:setIamPolicy", {"policy": {"bindings": bindings}})

    def received(self) -> list[dict[str, Any]]:
        """The messages there are."""
        answer = self.call("POST", f"{self.subscription}:pull", {"maxMessages": 100})
        return [each["message"] for each in answer.get("receivedMessages", [])]

    def stow(self) -> pydicom.Dataset:
        image = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        DICOMwebClient(f"{self.root}/v1/{self.store}/dicomWeb").store_instances([image])
        return image

    def import_images(self) -> int:
        """Import the images of one patient; how many there are."""
        body = {"gcsSource": {"uri": IMAGES}}
        operation = self.call("POST", f"{self.store}:import", body)
        while not operation.get("done"):
            operation = self.call("GET", operation["name"])
        return int(operation["metadata"]["counter"]["success"])


@pytest.fixture
def watched(
    emulator: ServerInfo, project: str, service_agent: str, grant: Callable[..., None]
) -> Callable[..., Watched]:
    grant("roles/storage.objectViewer")
    return lambda **config: Watched(emulator.url, project, service_agent, **config)


def test_a_stored_instance_is_reported_once(watched: Callable[..., Watched]) -> None:
    store = watched()
    image = store.stow()
    [message] = store.received()
    path = f"studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
    name = f"{store.store}/dicomWeb/{path}/instances/{image.SOPInstanceUID}"
    assert base64.b64decode(message["data"]).decode() == name
    attributes = message["attributes"]
    assert parsedate_to_datetime(attributes.pop("lastUpdatedTime")).utcoffset() == timedelta(0)
    assert attributes.pop("versionId").isdecimal()
    assert attributes == {
        "storageClass": "STANDARD",
        "action": "StoreInstances",
        "storeName": store.store,
        "studyInstanceUID": image.StudyInstanceUID,
        "seriesInstanceUID": image.SeriesInstanceUID,
        "sopInstanceUID": image.SOPInstanceUID,
        "modality": "CT",
    }
    store.stow()
    assert store.received() == []


def test_imported_instances_are_reported_where_it_is_asked_for(
    watched: Callable[..., Watched],
) -> None:
    """To the default subscriber of Google's library, which the environment leads here."""
    store = watched(sendForBulkImport=True)
    received: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()

    def receive(message: Any) -> None:
        received.put(dict(message.attributes))
        message.ack()

    with pubsub_v1.SubscriberClient() as subscriber:
        future = subscriber.subscribe(store.subscription, receive)
        count = store.import_images()
        messages = [received.get(timeout=PATIENCE_SECONDS) for _ in range(count)]
        future.cancel()
        future.result(PATIENCE_SECONDS)
    assert count > 1
    assert len({message["sopInstanceUID"] for message in messages}) == count
    assert {message["action"] for message in messages} == {"ImportDicomData"}


def test_settings_in_the_plural_ask_for_every_change(watched: Callable[..., Watched]) -> None:
    store = watched(several=True)
    count = store.import_images()
    actions = [message["attributes"]["action"] for message in store.received()]
    assert actions == ["ImportDicomData"] * count


def test_imported_instances_are_not_reported_otherwise(watched: Callable[..., Watched]) -> None:
    store = watched()
    assert store.import_images() > 1
    assert store.received() == []


def test_without_the_right_to_publish_instances_are_kept_and_no_one_is_reported(
    watched: Callable[..., Watched],
) -> None:
    store = watched()
    store.allow()
    store.stow()
    assert store.received() == []
    web = DICOMwebClient(f"{store.root}/v1/{store.store}/dicomWeb")
    assert len(web.search_for_instances()) == 1
