"""StreamingPull, as google-cloud-pubsub's default subscriber uses it, and request by request."""

import queue
import socket
from collections.abc import Callable, Iterator
from typing import Any

import google.cloud.pubsub_v1 as pubsub_v1
import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.pubsub_v1.types import pubsub

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets


@pytest.fixture
def publisher(emulator: ServerInfo) -> Any:
    return pubsub_v1.PublisherClient()


@pytest.fixture
def subscriber(emulator: ServerInfo) -> Iterator[Any]:
    with pubsub_v1.SubscriberClient() as client:
        yield client


@pytest.fixture
def topic(publisher: Any, project: str) -> str:
    return str(publisher.create_topic(name=f"projects/{project}/topics/events").name)


@pytest.fixture
def subscription(subscriber: Any, project: str, topic: str) -> str:
    name = f"projects/{project}/subscriptions/watch"
    return str(subscriber.create_subscription(name=name, topic=topic).name)


class Stream:
    """A stream whose requests a test sends one by one."""

    def __init__(self, subscriber: Any, **first: Any) -> None:
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.send(stream_ack_deadline_seconds=60, **first)
        requests = iter(self._requests.get, None)
        self._responses = iter(subscriber.streaming_pull(requests, timeout=PATIENCE_SECONDS))

    def send(self, **request: Any) -> None:
        self._requests.put(pubsub.StreamingPullRequest(**request))

    def receive(self) -> list[Any]:
        """The messages of the next response."""
        return list(next(self._responses).received_messages)

    def end(self) -> None:
        """End the requests; the server ends the stream."""
        self._requests.put(None)
        assert list(self._responses) == []


@pytest.fixture
def stream(subscriber: Any, subscription: str) -> Callable[..., Stream]:
    return lambda **first: Stream(subscriber, **{"subscription": subscription, **first})


def test_the_default_subscriber_gets_each_message_once(
    publisher: Any, subscriber: Any, topic: str, subscription: str
) -> None:
    publisher.publish(topic, b"before", modality="CT").result(PATIENCE_SECONDS)
    got: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def receive(message: Any) -> None:
        message.ack_with_response().result(PATIENCE_SECONDS)
        got.put((message.data, dict(message.attributes)))

    future = subscriber.subscribe(subscription, receive)
    assert got.get(timeout=PATIENCE_SECONDS) == (b"before", {"modality": "CT"})
    publisher.publish(topic, b"while it runs").result(PATIENCE_SECONDS)
    assert got.get(timeout=PATIENCE_SECONDS) == (b"while it runs", {})
    future.cancel()
    future.result(PATIENCE_SECONDS)

    left = subscriber.pull(subscription=subscription, max_messages=10)
    assert (list(left.received_messages), got.empty()) == ([], True)


def test_a_stream_that_a_fault_refuses_is_opened_again(
    publisher: Any, subscriber: Any, topic: str, subscription: str, emulator: ServerInfo
) -> None:
    """A stream begins with a call of `testIamPermissions`, which faults reach."""
    faults = f"{emulator.url}/_emulator/faults"
    fault = {"method": "pubsub.projects.subscriptions.testIamPermissions", "status": 503}
    http.post(faults, json={**fault, "times": 2}).raise_for_status()
    try:
        publisher.publish(topic, b"late").result(PATIENCE_SECONDS)
        got: queue.SimpleQueue[bytes] = queue.SimpleQueue()

        def receive(message: Any) -> None:
            message.ack_with_response().result(PATIENCE_SECONDS)
            got.put(message.data)

        future = subscriber.subscribe(subscription, receive)
        assert got.get(timeout=PATIENCE_SECONDS) == b"late"
        future.cancel()
        future.result(PATIENCE_SECONDS)
        assert [one["broken"] for one in http.get(faults).json()["faults"]] == [2]
    finally:
        http.delete(faults).raise_for_status()


def test_no_more_are_sent_than_may_be_outstanding(
    publisher: Any, subscriber: Any, topic: str, subscription: str, stream: Callable[..., Stream]
) -> None:
    for number in range(4):
        publisher.publish(topic, b"%d" % number).result(PATIENCE_SECONDS)
    limited = stream(max_outstanding_messages=2)
    first, second = limited.receive()
    assert [first.message.data, second.message.data] == [b"0", b"1"]

    limited.send(ack_ids=[first.ack_id])
    [third] = limited.receive()
    subscriber.acknowledge(subscription=subscription, ack_ids=[second.ack_id, third.ack_id])
    [fourth] = limited.receive()

    assert [third.message.data, fourth.message.data] == [b"2", b"3"]
    limited.end()


def test_no_more_bytes_are_sent_than_may_be_outstanding(
    publisher: Any, topic: str, stream: Callable[..., Stream]
) -> None:
    for letter in (b"a", b"b", b"c"):
        publisher.publish(topic, letter * 1000).result(PATIENCE_SECONDS)
    limited = stream(max_outstanding_bytes=1000)
    [first] = limited.receive()  # larger than what is allowed, as JSON, but it is the only one
    limited.send(ack_ids=[first.ack_id])
    [second] = limited.receive()
    assert [first.message.data[:1], second.message.data[:1]] == [b"a", b"b"]
    limited.end()


def test_what_is_refused_comes_again_and_is_a_dead_letter_in_the_end(
    publisher: Any, subscriber: Any, project: str, topic: str, stream: Callable[..., Stream]
) -> None:
    name = f"projects/{project}"
    dead = publisher.create_topic(name=f"{name}/topics/dead").name
    letters = subscriber.create_subscription(name=f"{name}/subscriptions/letters", topic=dead).name
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    request = {
        "name": f"{name}/subscriptions/tried",
        "topic": topic,
        "dead_letter_policy": policy,
    }
    subscriber.create_subscription(request=request)
    publisher.publish(topic, b"no one takes it").result(PATIENCE_SECONDS)

    opened = stream(subscription=f"{name}/subscriptions/tried")
    attempts = []
    for _ in range(5):
        [received] = opened.receive()
        attempts.append(received.delivery_attempt)
        opened.send(modify_deadline_ack_ids=[received.ack_id], modify_deadline_seconds=[0])
    [letter] = Stream(subscriber, subscription=letters).receive()

    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"no one takes it"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "tried"
    opened.end()


def test_a_keep_alive_is_answered_where_the_client_asks_for_it(
    stream: Callable[..., Stream],
) -> None:
    opened = stream(protocol_version=1)
    opened.send()
    assert opened.receive() == []
    opened.end()


def test_a_stream_ends_with_its_subscription(
    subscriber: Any, subscription: str, stream: Callable[..., Stream]
) -> None:
    opened = stream(protocol_version=1)
    opened.send()
    opened.receive()
    subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(NotFound, match="watch"):
        opened.receive()


def test_wrong_requests_are_refused(
    subscriber: Any, project: str, topic: str, stream: Callable[..., Stream]
) -> None:
    with pytest.raises(NotFound, match="none"):
        stream(subscription=f"projects/{project}/subscriptions/none").receive()
    with pytest.raises(InvalidArgument, match="name=watch"):
        stream(subscription="watch").receive()
    again = stream()
    again.send(subscription="watch")
    with pytest.raises(InvalidArgument, match="first request"):
        again.receive()
    pushed = f"projects/{project}/subscriptions/pushed"
    push = {"push_endpoint": "https://push.example.com/"}
    subscriber.create_subscription(request={"name": pushed, "topic": topic, "push_config": push})
    with pytest.raises(FailedPrecondition, match="push"):
        stream(subscription=pushed).receive()


def test_a_connection_speaks_http_1_or_2_however_its_first_bytes_arrive(
    emulator: ServerInfo,
) -> None:
    settings = b"\0\0\0\4\0\0\0\0\0"  # RFC 9113, 6.5: an empty SETTINGS frame
    answers = [
        first_bytes(emulator.ports.api, b"PRI", b" * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings),
        first_bytes(emulator.ports.api, b"P", b"UT /v1/projects/p/topics HTTP/1.1\r\n\r\n"),
    ]
    assert answers[0][3] == 4  # the type of the server's first frame
    assert answers[1].startswith(b"HTTP/1.1 4")


def first_bytes(port: int, *chunks: bytes) -> bytes:
    """Send chunks of bytes, one packet each; the first that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for chunk in chunks:
            client.sendall(chunk)
        return client.recv(64)


def test_a_deadline_of_a_stream_has_limits(subscriber: Any, subscription: str) -> None:
    request = pubsub.StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=5)
    with pytest.raises(InvalidArgument, match="10 to 600"):
        list(subscriber.streaming_pull(iter([request])))
