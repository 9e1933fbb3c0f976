"""Messages under a clock of the test: deadlines, rests, dead letters, restarts."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.core import timestamps
from emulator.services.pubsub import messages, retry_policy
from tests.support.emulator_names import PROJECT

TOPIC = f"{PROJECT}/topics/events"
DEAD = f"{PROJECT}/topics/dead"
WATCH = f"{PROJECT}/subscriptions/watch"
GRAVE = f"{PROJECT}/subscriptions/grave"
PUSHED = {"pushConfig": {"pushEndpoint": "https://worker.example.com"}}


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 1e9

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(messages, "time", SimpleNamespace(time=clock.time))
    return clock


@pytest.fixture
def watch(client: TestClient) -> Callable[..., None]:
    """Makes the topics and a subscription of each."""

    def make(**settings: Any) -> None:
        for topic in (TOPIC, DEAD):
            client.put(f"/v1/{topic}", json={}).raise_for_status()
        client.put(f"/v1/{WATCH}", json={"topic": TOPIC, **settings}).raise_for_status()
        client.put(f"/v1/{GRAVE}", json={"topic": DEAD}).raise_for_status()

    return make


def publish(cloud: Cloud, *texts: str) -> list[str]:
    data = [base64.b64encode(text.encode()).decode() for text in texts]
    return cloud.pubsub.messages.publish(TOPIC, [{"data": one} for one in data])


def take(cloud: Cloud, name: str = WATCH) -> list[dict[str, Any]]:
    return cloud.pubsub.messages.pull(cloud.pubsub.subscriptions.get(name), 100)


def texts(received: list[dict[str, Any]]) -> list[str]:
    return [base64.b64decode(each["message"].get("data", "")).decode() for each in received]


def refuse(cloud: Cloud, received: list[dict[str, Any]]) -> None:
    ids = [each["ackId"] for each in received]
    cloud.pubsub.messages.modify_ack_deadline(cloud.pubsub.subscriptions.get(WATCH), ids, 0)


def test_what_is_not_acknowledged_in_time_comes_again(
    cloud: Cloud, watch: Callable[..., None], clock: Clock
) -> None:
    watch(ackDeadlineSeconds=20)
    publish(cloud, "a", "b")
    first, _ = take(cloud)
    cloud.pubsub.messages.acknowledge(cloud.pubsub.subscriptions.get(WATCH), [first["ackId"]])

    clock.sleep(19.9)
    assert take(cloud) == []
    clock.sleep(0.2)
    assert texts(take(cloud)) == ["b"]


def test_a_deadline_is_put_off(cloud: Cloud, watch: Callable[..., None], clock: Clock) -> None:
    watch()
    publish(cloud, "a")
    [received] = take(cloud)
    cloud.pubsub.messages.modify_ack_deadline(
        cloud.pubsub.subscriptions.get(WATCH), [received["ackId"]], 600
    )

    clock.sleep(599)
    assert take(cloud) == []
    clock.sleep(2)
    assert texts(take(cloud)) == ["a"]


def test_a_refused_message_is_redelivered_with_backoff(
    cloud: Cloud, watch: Callable[..., None], clock: Clock
) -> None:
    watch(retryPolicy={"minimumBackoff": "2s", "maximumBackoff": "5s"})
    publish(cloud, "a")
    for rest in (2, 4, 5, 5):
        refuse(cloud, take(cloud))
        clock.sleep(rest - 0.1)
        assert take(cloud) == []
        clock.sleep(0.2)


@pytest.mark.parametrize(
    ("settings", "attempts", "seconds"),
    [
        ({}, 1, 0),
        ({}, 9, 0),
        (PUSHED, 1, 0.1),
        (PUSHED, 3, 0.4),
        (PUSHED, 10_000, 60),
        ({"retryPolicy": {}}, 1, 10),
        ({"retryPolicy": {}}, 100, 600),
        ({"retryPolicy": {"minimumBackoff": "1.5s"}}, 2, 3),
        ({"retryPolicy": {"minimumBackoff": "60s", "maximumBackoff": "1s"}}, 3, 60),
    ],
)
def test_the_rest(settings: dict[str, Any], attempts: int, seconds: float) -> None:
    assert retry_policy.seconds(settings, attempts) == pytest.approx(seconds)


def test_a_dead_letter_moves_with_its_last_refusal(
    cloud: Cloud, watch: Callable[..., None]
) -> None:
    watch(deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5})
    publish(cloud, "lost")
    for attempt in range(1, 6):
        assert take(cloud, GRAVE) == []
        received = take(cloud)
        assert [each["deliveryAttempt"] for each in received] == [attempt]
        refuse(cloud, received)

    assert take(cloud) == []
    [letter] = take(cloud, GRAVE)
    assert texts([letter]) == ["lost"]
    assert letter["message"]["attributes"]["CloudPubSubDeadLetterSourceSubscription"] == "watch"


def test_a_dead_letter_moves_when_its_last_deadline_is_over(
    cloud: Cloud, watch: Callable[..., None], clock: Clock
) -> None:
    watch(deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5})
    publish(cloud, "lost")
    for _ in range(5):
        assert texts(take(cloud)) == ["lost"]
        clock.sleep(11)

    assert take(cloud) == []
    assert texts(take(cloud, GRAVE)) == ["lost"]


def test_without_its_dead_letter_topic_a_message_goes_on(
    cloud: Cloud, client: TestClient, watch: Callable[..., None]
) -> None:
    watch(deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5})
    client.delete(f"/v1/{DEAD}").raise_for_status()
    publish(cloud, "kept")
    for _ in range(7):
        refuse(cloud, take(cloud))

    assert [each["deliveryAttempt"] for each in take(cloud)] == [8]


def test_a_letter_is_not_lost_between_two_topics(
    cloud: Cloud, watch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5})
    publish(cloud, "lost")
    for _ in range(4):
        refuse(cloud, take(cloud))
    last = take(cloud)
    with monkeypatch.context() as patch:
        patch.setattr(timestamps, "now", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refuse(cloud, last)
    assert take(cloud, GRAVE) == []

    refuse(cloud, last)

    assert texts(take(cloud, GRAVE)) == ["lost"]


def test_messages_survive_a_restart(
    cloud: Cloud, open_cloud: Callable[..., Cloud], watch: Callable[..., None], clock: Clock
) -> None:
    watch()
    before = publish(cloud, "a", "b")
    taken, _ = take(cloud)
    cloud.pubsub.messages.acknowledge(cloud.pubsub.subscriptions.get(WATCH), [taken["ackId"]])

    again = open_cloud()

    assert take(again) == []
    clock.sleep(11)
    assert texts(take(again)) == ["b"]
    assert int(publish(again, "c")[0]) > int(before[-1])


def test_a_subscription_of_the_same_name_begins_empty(
    cloud: Cloud, client: TestClient, watch: Callable[..., None]
) -> None:
    watch()
    publish(cloud, "a")
    client.delete(f"/v1/{WATCH}").raise_for_status()
    watch_again = client.put(f"/v1/{WATCH}", json={"topic": TOPIC})
    watch_again.raise_for_status()

    assert take(cloud) == []
    publish(cloud, "b")
    assert texts(take(cloud)) == ["b"]


def test_a_reset_forgets_messages(cloud: Cloud, watch: Callable[..., None]) -> None:
    watch()
    publish(cloud, "a")

    cloud.reset()

    with cloud.database.read() as connection:
        assert connection.execute("SELECT COUNT(*) FROM messages").fetchone()[0] == 0


@pytest.mark.parametrize("data", ["ä", "a", "a b="])
def test_data_that_is_not_base64_is_refused(
    client: TestClient, watch: Callable[..., None], data: str
) -> None:
    watch()
    answer = client.post(f"/v1/{TOPIC}:publish", json={"messages": [{"data": data}]})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid value at 'messages.data' (TYPE_BYTES)"
