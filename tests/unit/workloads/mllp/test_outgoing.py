"""The outgoing side: a fake Pub/Sub and store, and a server of `hl7.mllp` as the peer."""

import base64
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.hl7v2_messages import EUROPEAN, admission
from tests.support.mllp import FakePeer
from tests.support.waiting import wait_until
from tests.unit.workloads.fakes import Answer, FakeSession
from workloads.common import dead_letters, delivery, tls
from workloads.common.counters import Counters
from workloads.common.delivery import Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.common.subscription import Subscription, SubscriptionError
from workloads.mllp.outgoing import Outgoing, Route
from workloads.mllp.peer import Address, Peer, parse_address
from workloads.mllp.store import Messages

NAME = "projects/p/locations/l/datasets/d/hl7V2Stores/s/messages/"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery.Backoff, "seconds", lambda self: 0.001)


class Cloud:
    """A subscription with a notification for each message, in order, and their store."""

    def __init__(self, messages: Sequence[bytes | None], spool: Spool | None = None) -> None:
        self.messages = dict(enumerate(messages))
        self.open = list(self.messages)
        self.acknowledged: list[int] = []
        self.returned: list[int] = []
        self.fake = FakeSession()
        self.fake.respond = self._respond
        self.stop, self.counters, self.spool = threading.Event(), Counters(), spool

    def run(self, peer: Peer, is_done: Callable[[], bool] = lambda: True) -> None:
        """Run until every notification was acknowledged or returned, and something else holds."""
        session = self.fake.session()
        route = Route(
            Subscription(session, "projects/p/subscriptions/s", Log("test")),
            Messages(session),
            peer,
            30.0,
            self.spool,
        )
        outgoing = Outgoing(route, Log("test"), self.counters, self.stop)
        thread = threading.Thread(target=outgoing.run)
        thread.start()
        try:
            wait_until(
                lambda: (
                    len(self.acknowledged) + len(self.returned) >= len(self.messages) and is_done()
                ),
                "notifications are open",
                20,
            )
        finally:
            self.stop.set()
            thread.join(20)

    def _respond(self, method: str, url: str, body: Any) -> Answer:
        if method == "GET":
            data = self.messages[int(url.rpartition("/")[2])]
            return (200, {"data": base64.b64encode(data).decode()}) if data else (404, {})
        match url.rpartition(":")[2]:
            case "pull":
                pulled, self.open = self.open, []
                found = [
                    {
                        "ackId": str(key),
                        "message": {"data": base64.b64encode(f"{NAME}{key}".encode()).decode()},
                    }
                    for key in pulled
                ]
                return 200, {"receivedMessages": found} if found else {}
            case "acknowledge":
                self.acknowledged += map(int, body["ackIds"])
            case "modifyAckDeadline" if body["ackDeadlineSeconds"] == 0:
                self.returned += map(int, body["ackIds"])
        return 200, {}


def peer_at(port: int, seconds: float = 20.0) -> Peer:
    return Peer(Address("127.0.0.1", port), seconds)


def test_messages_go_in_order_over_one_connection() -> None:
    messages = [admission("1"), EUROPEAN, admission("3")]
    cloud = Cloud(messages)
    with FakePeer() as server:
        cloud.run(peer_at(server.port))
    assert server.received == messages
    assert server.connections == 1
    assert cloud.acknowledged == [0, 1, 2]
    assert cloud.counters.snapshot() == {"notifications": 3, "sent": 3}


def test_errors_and_lost_connections_are_retried() -> None:
    cloud = Cloud([admission("1"), admission("2")])
    with FakePeer(["close", "AE", "AA", "close"]) as server:
        cloud.run(peer_at(server.port))
    assert server.received == [admission("1")] * 3 + [admission("2")] * 2
    assert cloud.acknowledged == [0, 1]


def test_a_peer_that_is_not_there_is_waited_for() -> None:
    with FakePeer() as server:
        port = server.port
    cloud = Cloud([admission("1")])

    def failed() -> bool:
        return cloud.counters.snapshot().get("retries", 0) > 2

    thread = threading.Thread(target=cloud.run, args=(peer_at(port),))
    thread.start()
    wait_until(failed, "no attempt fails")
    assert cloud.acknowledged == []
    cloud.stop.set()
    cloud.acknowledged.append(0)
    thread.join()


@pytest.mark.parametrize(("codes", "attempts"), [(["AR"], 1), (["AE"] * 5, 5)])
def test_a_message_that_the_peer_refuses_is_a_dead_letter(
    tmp_path: Path, codes: list[str], attempts: int
) -> None:
    cloud = Cloud([admission("bad"), admission("good")], Spool(tmp_path))
    with FakePeer(codes) as server:
        cloud.run(peer_at(server.port))
    assert server.received == [admission("bad")] * attempts + [admission("good")]
    assert cloud.acknowledged == [0, 1]
    [report] = (tmp_path / "dead").glob("*.json")
    found = json.loads(report.read_text())
    assert found["attributes"] == {"name": f"{NAME}0"}
    assert found["reason"] == codes[0]


def test_a_dead_letter_that_was_put_back_is_sent_again(tmp_path: Path) -> None:
    cloud = Cloud([admission("bad"), admission("worse"), admission("good")], Spool(tmp_path))
    with FakePeer(["AR", "AR"]) as server:
        cloud.run(peer_at(server.port))
    assert cloud.spool
    cloud.spool.release()
    for letter in dead_letters.find(tmp_path):
        dead_letters.redeliver(tmp_path, letter)
    cloud.spool, cloud.stop = Spool(tmp_path), threading.Event()
    with FakePeer(["AA", "AR"]) as server:
        cloud.run(peer_at(server.port), lambda: len(server.received) == 2)
    assert server.received == [admission("bad"), admission("worse")]
    assert cloud.spool.pending() == 0
    assert [letter.attributes for letter in dead_letters.find(tmp_path)] == [{"name": f"{NAME}1"}]


def test_a_message_that_would_end_its_frame_is_a_dead_letter(tmp_path: Path) -> None:
    cloud = Cloud([admission("x") + b"\x1c\rPID|", admission("good")], Spool(tmp_path))
    with FakePeer() as server:
        cloud.run(peer_at(server.port))
    assert (server.received, cloud.acknowledged) == ([admission("good")], [0, 1])


def test_without_a_folder_a_refused_notification_returns_to_the_subscription() -> None:
    cloud = Cloud([admission("bad"), admission("good")])
    with FakePeer(["AR"]) as server:
        cloud.run(peer_at(server.port))
    assert (cloud.returned, cloud.acknowledged) == ([0], [1])


def test_a_message_that_was_deleted_is_passed_over(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    cloud = Cloud([None, admission("2")])
    with FakePeer() as server:
        cloud.run(peer_at(server.port))
    assert (server.received, cloud.acknowledged) == ([admission("2")], [0, 1])
    assert logged()[0]["message"] == "message does not exist"


def test_a_connection_that_the_peer_has_closed_is_opened_again() -> None:
    with FakePeer(["AA", "close", "AA"]) as server:
        peer = peer_at(server.port)
        assert peer.send(admission("1")).is_accepted
        with pytest.raises(Unavailable, match="without an answer"):
            peer.send(admission("2"))
        assert peer.send(admission("2")).is_accepted
        peer.close()
    assert server.connections == 2


def test_an_answer_to_another_message_is_none() -> None:
    with FakePeer(["late"]) as server:
        peer = peer_at(server.port)
        with pytest.raises(Unavailable, match="another message"):
            peer.send(admission("one"))
        assert peer.send(admission("one")).is_accepted
        peer.close()
    assert server.connections == 2


def test_the_peer_is_checked_by_its_certificate(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    pair = authority.sign("server")
    context = tls.server_context(pair.certificate, pair.key, None)
    with FakePeer(tls=context) as server:
        address = Address("localhost", server.port)
        right = Peer(address, 20, tls.client_context(authority.certificate))
        for _ in range(2):
            assert right.send(admission("1")).is_accepted
        right.close()
        wrong = Peer(address, 20, tls.client_context(other.certificate))
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            wrong.send(admission("1"))
    assert server.connections == 1


def test_a_subscription_that_does_not_exist_ends_the_adapter() -> None:
    fake = FakeSession((503, {}), (404, {}))
    session = fake.session()
    route = Route(
        Subscription(session, "projects/p/subscriptions/s", Log("test")),
        Messages(session),
        peer_at(1),
        1.0,
        None,
    )
    with pytest.raises(SubscriptionError, match="projects/p/subscriptions/s can't be used: 404"):
        Outgoing(route, Log("test"), Counters(), threading.Event()).run()


@pytest.mark.parametrize("text", ["host", "host:", ":1", "host:0", "host:65536", "host:x", ""])
def test_an_address_is_checked(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize("text", ["10.0.0.5:2575", "[::1]:2575"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_address(text)) == text
