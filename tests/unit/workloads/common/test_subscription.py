"""Pulling by a fake Pub/Sub: pauses, failures, and what is left to a redelivery."""

import base64
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.unit.workloads.fakes import FakeSession
from workloads.common import delivery, subscription
from workloads.common.logs import Log
from workloads.common.subscription import Notification, Subscription, SubscriptionError

Lines = Callable[[], list[dict[str, Any]]]
NAME = "projects/p/subscriptions/s"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery.Backoff, "seconds", lambda self: 0.001)
    monkeypatch.setattr(subscription, "EMPTY_SECONDS", 0.001)


def messages(*bodies: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    received = [{"ackId": str(number), "message": body} for number, body in enumerate(bodies)]
    return 200, {"receivedMessages": received}


def data(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def test_notifications_come_after_failures_and_empty_answers(logged: Lines) -> None:
    first = {"data": data("projects/p/a\n"), "attributes": {"action": "StoreInstances"}}
    fake = FakeSession(
        (503, {}), requests.ConnectionError(), (200, {}), messages(first, {"data": data("b")})
    )
    stop = threading.Event()
    received = Subscription(fake.session(), NAME, Log("test")).receive(7, stop)
    assert next(received) == []
    assert next(received) == [
        Notification("0", "projects/p/a", "StoreInstances"),
        Notification("1", "b"),
    ]
    stop.set()
    assert list(received) == []
    assert {body["maxMessages"] for _, _, body in fake.calls} == {7}
    assert [line["reason"] for line in logged()] == [
        "Pub/Sub: 503 reason",
        "no answer of Pub/Sub (ConnectionError)",
    ]


def test_a_subscription_that_may_not_be_read_ends_it() -> None:
    received = Subscription(FakeSession((403, {})).session(), NAME, Log("test"))
    with pytest.raises(SubscriptionError, match=f"{NAME} can't be used: 403"):
        next(received.receive(1, threading.Event()))


def test_what_can_not_be_acknowledged_is_left_to_a_redelivery(logged: Lines) -> None:
    fake = FakeSession((503, {}), (404, {}), (200, {}))
    used = Subscription(fake.session(), NAME, Log("test"))
    notifications = [Notification("1", "a"), Notification("2", "b")]
    used.acknowledge(notifications)
    used.extend(notifications, 60)
    used.extend(notifications[:1], 0)
    assert [(url.rpartition(":")[2], body) for _, url, body in fake.calls] == [
        ("acknowledge", {"ackIds": ["1", "2"]}),
        ("modifyAckDeadline", {"ackIds": ["1", "2"], "ackDeadlineSeconds": 60}),
        ("modifyAckDeadline", {"ackIds": ["1"], "ackDeadlineSeconds": 0}),
    ]
    assert [(line["message"], line["names"]) for line in logged()] == [
        ("not acknowledged", ["a", "b"]),
        ("deadline not extended", ["a", "b"]),
    ]
