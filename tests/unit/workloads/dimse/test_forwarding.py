"""The outgoing side without a spool: a fake Pub/Sub, and a sender whose results a test sets."""

import base64
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from tests.support.waiting import wait_until
from tests.unit.workloads.fakes import Answer, FakeSession
from workloads.common import delivery
from workloads.common.counters import Counters
from workloads.common.delivery import Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.subscription import Subscription, SubscriptionError
from workloads.dimse.forwarding import DEADLINE_SECONDS, Forwarder
from workloads.dimse.outgoing import Sender

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"
Result = Exception | None


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery.Backoff, "seconds", lambda self: 0.001)


class Cloud:
    """A subscription with one notification of each name, and a sender."""

    def __init__(self, names: Sequence[str], results: Sequence[Result] = ()) -> None:
        self.names, self.open = list(names), list(range(len(names)))
        self.results = list(results)
        self.sent: list[tuple[str, str]] = []
        self.acknowledged: list[int] = []
        self.returned: list[int] = []
        self.extended: list[int] = []
        self.code = 200
        self.counters, self.stop = Counters(), threading.Event()

    def send(self, path: str, instance: str) -> None:
        result = self.results.pop(0) if self.results else None
        if result is not None:
            raise result
        self.sent.append((path, instance))

    def run(self) -> None:
        """Run until every notification was acknowledged or returned."""
        thread = threading.Thread(target=self.forwarder().run, args=(2, self.stop))
        thread.start()
        try:
            wait_until(
                lambda: len(self.acknowledged) + len(self.returned) >= len(self.names),
                "notifications are open",
                20,
            )
        finally:
            self.stop.set()
            thread.join(20)

    def forwarder(self) -> Forwarder:
        fake = FakeSession()
        fake.respond = self._respond
        subscription = Subscription(fake.session(), "projects/p/subscriptions/s", Log("test"))
        return Forwarder(subscription, STORE, cast(Sender, self), self.counters)

    def _respond(self, method: str, url: str, body: Any) -> Answer:
        match url.rpartition(":")[2]:
            case "pull":
                number = body["maxMessages"]
                pulled, self.open = self.open[:number], self.open[number:]
                found = [{"ackId": str(key), "message": self._message(key)} for key in pulled]
                return self.code, {"receivedMessages": found} if found else {}
            case "acknowledge":
                self.acknowledged += map(int, body["ackIds"])
            case "modifyAckDeadline" if body["ackDeadlineSeconds"] == 0:
                self.returned += map(int, body["ackIds"])
            case "modifyAckDeadline":
                self.extended.append(body["ackDeadlineSeconds"])
        return 200, {}

    def _message(self, key: int) -> dict[str, str]:
        return {"data": base64.b64encode(self.names[key].encode()).decode()}


def instance(number: int) -> str:
    return f"studies/1.2/series/1.3/instances/1.4.{number}"


def name(number: int, store: str = STORE) -> str:
    return f"{store}/dicomWeb/{instance(number)}"


def test_a_notification_is_acknowledged_when_its_instance_is_sent() -> None:
    cloud = Cloud([name(1), name(2), name(3)])
    cloud.run()
    assert sorted(cloud.sent) == [(instance(number), f"1.4.{number}") for number in (1, 2, 3)]
    assert sorted(cloud.acknowledged) == [0, 1, 2]
    assert cloud.counters.snapshot() == {"notifications": 3}


def test_an_instance_is_sent_until_the_peer_takes_it() -> None:
    cloud = Cloud([name(1)], [Unavailable("not now"), RuntimeError("a bug"), None])
    cloud.run()
    assert (cloud.sent, cloud.acknowledged) == ([(instance(1), "1.4.1")], [0])
    assert cloud.extended == [DEADLINE_SECONDS] * 3
    assert cloud.counters.snapshot() == {"notifications": 1, "retries": 2}


def test_a_refused_instance_returns_to_the_subscription_and_the_log_has_no_comment(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    cloud = Cloud([name(1)], [Refused("the peer answers C000", "DOE^JANE")])
    cloud.run()
    assert (cloud.returned, cloud.acknowledged) == ([0], [])
    assert cloud.counters.snapshot()["dead_letters"] == 1
    [line] = [line for line in logged() if line["message"] == "instance refused"]
    assert (line["reason"], line["instance"]) == ("the peer answers C000", "1.4.1")


def test_notifications_of_other_stores_are_acknowledged_and_not_sent() -> None:
    cloud = Cloud([name(1, f"{STORE}2"), "something else"])
    cloud.run()
    assert (cloud.sent, sorted(cloud.acknowledged)) == ([], [0, 1])
    assert cloud.counters.snapshot()["skipped_notifications"] == 2


def test_a_subscription_that_can_not_be_used_ends_it() -> None:
    cloud = Cloud([])
    cloud.code = 403
    with pytest.raises(SubscriptionError, match=r"roles/pubsub\.subscriber"):
        cloud.forwarder().run(1, cloud.stop)
