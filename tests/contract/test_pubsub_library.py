"""Pub/Sub under google-cloud-pubsub, by gRPC as by default, and by REST."""

import os
from typing import Any

import google.cloud.pubsub_v1 as pubsub_v1
import grpc
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.auth.credentials import AnonymousCredentials
from google.protobuf import field_mask_pb2
from google.pubsub_v1.services.publisher import PublisherClient as Topics
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from emulator.server.server_file import ServerInfo
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets


@pytest.fixture(params=["gRPC", "REST"])
def options(
    emulator: ServerInfo, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Options that point a client of the library to the emulator."""
    if request.param == "gRPC":  # by PUBSUB_EMULATOR_HOST
        return {}
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    return {
        "transport": "rest",
        "client_options": {"api_endpoint": emulator.url},
        "credentials": AnonymousCredentials(),  # type: ignore[no-untyped-call]
    }


@pytest.fixture
def topics(emulator: ServerInfo, options: dict[str, Any]) -> Any:
    """The generated client, which does not read the variable itself."""
    if options:
        return Topics(**options)
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
    return Topics(transport=PublisherGrpcTransport(channel=channel))


@pytest.fixture
def subscriber(options: dict[str, Any]) -> Any:
    # Not closed: the library's `close` fails over REST.
    return pubsub_v1.SubscriberClient(**options)


@pytest.fixture
def topic(topics: Any, project: str) -> str:
    return str(topics.create_topic(name=f"projects/{project}/topics/events").name)


@pytest.fixture
def subscription(subscriber: Any, project: str, topic: str) -> str:
    name = f"projects/{project}/subscriptions/watch"
    request = {"name": name, "topic": topic, "filter": "attributes:modality"}
    return str(subscriber.create_subscription(request=request).name)


def pulled(subscriber: Any, subscription: str) -> list[Any]:
    answer = subscriber.pull(subscription=subscription, max_messages=10, timeout=PATIENCE_SECONDS)
    return list(answer.received_messages)


def test_from_publishing_to_acknowledging(topics: Any, subscriber: Any, subscription: str) -> None:
    topic = subscriber.get_subscription(subscription=subscription).topic
    messages = [
        {"data": b"\xff\x00 knock", "attributes": {"modality": "CT"}},
        {"data": b"without a subscription"},
    ]
    ids = topics.publish(topic=topic, messages=messages).message_ids

    [received] = pulled(subscriber, subscription)
    assert received.message.message_id == ids[0]
    assert received.message.data == b"\xff\x00 knock"
    assert dict(received.message.attributes) == {"modality": "CT"}
    assert received.message.publish_time.timestamp() > 0

    taken = {"subscription": subscription, "ack_ids": [received.ack_id]}
    subscriber.modify_ack_deadline(request={**taken, "ack_deadline_seconds": 0})
    [again] = pulled(subscriber, subscription)
    assert again.message.message_id == ids[0]
    subscriber.acknowledge(subscription=subscription, ack_ids=[again.ack_id])
    assert pulled(subscriber, subscription) == []


def test_the_publisher_of_batches(
    options: dict[str, Any], subscriber: Any, subscription: str, topic: str
) -> None:
    publisher = pubsub_v1.PublisherClient(**options)
    futures = [publisher.publish(topic, b"%d" % n, modality="CT") for n in range(5)]

    ids = [future.result(timeout=PATIENCE_SECONDS) for future in futures]

    received = pulled(subscriber, subscription)
    assert [each.message.message_id for each in received] == ids
    assert [each.message.data for each in received] == [b"0", b"1", b"2", b"3", b"4"]
    publisher.stop()


def test_a_subscription_is_changed_listed_and_deleted(
    topics: Any, subscriber: Any, project: str, subscription: str, topic: str
) -> None:
    changed = subscriber.update_subscription(
        subscription={"name": subscription, "ack_deadline_seconds": 60, "labels": {"site": "a"}},
        update_mask=field_mask_pb2.FieldMask(paths=["ack_deadline_seconds", "labels"]),
    )
    assert (changed.ack_deadline_seconds, dict(changed.labels)) == (60, {"site": "a"})
    assert changed.filter == "attributes:modality"
    # What a client got may be sent back as it is, with what only the server sets.
    changed.ack_deadline_seconds = 90
    mask = field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])
    changed = subscriber.update_subscription(subscription=changed, update_mask=mask)
    assert (changed.ack_deadline_seconds, changed.state.name) == (90, "ACTIVE")
    assert changed.message_retention_duration.total_seconds() == 604800

    listed = subscriber.list_subscriptions(project=f"projects/{project}")
    assert [each.name for each in listed] == [subscription]
    assert list(topics.list_topic_subscriptions(topic=topic)) == [subscription]

    subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(NotFound):
        subscriber.get_subscription(subscription=subscription)


def test_errors_are_those_of_the_library(subscriber: Any, subscription: str, topic: str) -> None:
    with pytest.raises(Conflict):
        subscriber.create_subscription(name=subscription, topic=topic)
    with pytest.raises(BadRequest, match="10 to 600"):
        subscriber.create_subscription(
            request={"name": f"{subscription}2", "topic": topic, "ack_deadline_seconds": 5}
        )
    with pytest.raises(NotFound):
        subscriber.create_subscription(name=f"{subscription}2", topic=f"{topic}-none")
