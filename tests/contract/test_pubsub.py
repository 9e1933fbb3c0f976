"""Pub/Sub under Google's client: subscriptions, messages, deadlines, dead letters, push."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from queue import Queue
from typing import Any

import psutil
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.sockets
_NUMBERS = count(1)


@pytest.fixture
def pubsub(emulator: ServerInfo) -> Any:
    options = {"api_endpoint": emulator.url}
    return build("pubsub", "v1", client_options=options, static_discovery=True).projects()


@pytest.fixture
def topic(pubsub: Any, project: str) -> str:
    name = f"projects/{project}/topics/events{next(_NUMBERS)}"
    return str(pubsub.topics().create(name=name, body={}).execute()["name"])


@pytest.fixture
def listen(pubsub: Any, project: str, topic: str) -> Callable[..., str]:
    """Makes a subscription of the topic; its full name."""

    def make(**body: Any) -> str:
        name = f"projects/{project}/subscriptions/sub{next(_NUMBERS)}"
        created = pubsub.subscriptions().create(name=name, body={"topic": topic, **body}).execute()
        assert created["topic"] == body.get("topic", topic)
        return str(created["name"])

    return make


@pytest.fixture
def publish(pubsub: Any, topic: str) -> Callable[..., str]:
    """Publishes one message; its id."""

    def send(text: str, **attributes: str) -> str:
        message = {"data": base64.b64encode(text.encode()).decode(), "attributes": attributes}
        body = {"messages": [message]}
        answer = pubsub.topics().publish(topic=topic, body=body).execute()
        return str(answer["messageIds"][0])

    return send


def pull(pubsub: Any, subscription: str) -> list[dict[str, Any]]:
    request = pubsub.subscriptions().pull(subscription=subscription, body={"maxMessages": 10})
    received: list[dict[str, Any]] = request.execute().get("receivedMessages", [])
    return received


def texts(received: list[dict[str, Any]]) -> list[str]:
    return [base64.b64decode(each["message"]["data"]).decode() for each in received]


def test_every_subscription_gets_every_message_once(
    pubsub: Any, listen: Callable[..., str], publish: Callable[..., str]
) -> None:
    one, other = listen(), listen()
    number = publish("first", action="CreateInstance")
    publish("second")
    received = pull(pubsub, one)
    assert texts(received) == ["first", "second"]
    message = received[0]["message"]
    assert (message["messageId"], message["attributes"]) == (number, {"action": "CreateInstance"})
    assert pull(pubsub, one) == []
    body = {"ackIds": [each["ackId"] for each in received]}
    pubsub.subscriptions().acknowledge(subscription=one, body=body).execute()
    assert texts(pull(pubsub, other)) == ["first", "second"]


def test_what_is_not_acknowledged_comes_again(
    pubsub: Any, listen: Callable[..., str], publish: Callable[..., str]
) -> None:
    name = listen()
    publish("again")
    [received] = pull(pubsub, name)
    body = {"ackIds": [received["ackId"]], "ackDeadlineSeconds": 0}
    pubsub.subscriptions().modifyAckDeadline(subscription=name, body=body).execute()
    [second] = pull(pubsub, name)
    assert second["message"]["messageId"] == received["message"]["messageId"]
    assert second["ackId"] != received["ackId"]
    stale = {"ackIds": [received["ackId"]]}
    pubsub.subscriptions().acknowledge(subscription=name, body=stale).execute()
    fresh = {"ackIds": [second["ackId"]], "ackDeadlineSeconds": 0}
    pubsub.subscriptions().modifyAckDeadline(subscription=name, body=fresh).execute()
    assert texts(pull(pubsub, name)) == ["again"]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ('attributes.action = "CreateInstance"', True),
        ('attributes.action != "CreateInstance"', False),
        ("attributes:action AND NOT attributes:other", True),
        ('hasPrefix(attributes.action, "Delete") OR (attributes:"action")', True),
        ("-attributes:action", False),
    ],
)
def test_a_filter_lets_pass_what_it_names(
    pubsub: Any, listen: Callable[..., str], publish: Callable[..., str], text: str, passes: bool
) -> None:
    name = listen(filter=text)
    publish("x", action="CreateInstance")
    assert texts(pull(pubsub, name)) == (["x"] if passes else [])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"filter": "attributes.action == 3"}, "invalid filter"),
        ({"filter": "attributes"}, "at 'its end'"),
        ({"ackDeadlineSeconds": 5}, "10 to 600"),
        ({"topic": "projects/p/topics/none"}, "Resource not found"),
        ({"bigqueryConfig": {"table": "p.d.t"}}, "not served here"),
    ],
)
def test_what_is_refused(listen: Callable[..., str], body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(HttpError, match=complaint):
        listen(**body)


def test_dead_letters_go_where_they_are_sent(
    pubsub: Any, project: str, topic: str, listen: Callable[..., str], publish: Callable[..., str]
) -> None:
    dead = pubsub.topics().create(name=f"{topic}-dead", body={}).execute()["name"]
    policy = {"deadLetterTopic": dead, "maxDeliveryAttempts": 5}
    name = listen(deadLetterPolicy=policy)
    grave = listen(topic=dead)
    publish("lost")
    for attempt in range(1, 6):
        [received] = pull(pubsub, name)
        assert received["deliveryAttempt"] == attempt
        body = {"ackIds": [received["ackId"]], "ackDeadlineSeconds": 0}
        pubsub.subscriptions().modifyAckDeadline(subscription=name, body=body).execute()
    assert pull(pubsub, name) == []
    [letter] = pull(pubsub, grave)
    assert texts([letter]) == ["lost"]
    attributes = letter["message"]["attributes"]
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == project


def test_a_deleted_topic_leaves_its_subscriptions_without_one(
    pubsub: Any, topic: str, listen: Callable[..., str]
) -> None:
    name = listen()
    listed = pubsub.topics().subscriptions().list(topic=topic).execute()
    assert listed["subscriptions"] == [name]
    pubsub.topics().delete(topic=topic).execute()
    found = pubsub.subscriptions().get(subscription=name).execute()
    assert found["topic"] == "_deleted-topic_"


class Worker(ThreadingHTTPServer):
    """An endpoint that refuses as many messages as it is told to."""

    def __init__(self) -> None:
        self.received: Queue[dict[str, Any]] = Queue()
        self.refusals = 0
        self.refusal = 503
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/push?token=s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Worker

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.put(body)
        self.server.refusals -= 1
        self.send_response(204 if self.server.refusals < 0 else self.server.refusal)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Print nothing: the test reports the result."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    server = Worker()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_messages_are_pushed_until_the_endpoint_takes_them(
    listen: Callable[..., str], publish: Callable[..., str], worker: Worker
) -> None:
    worker.refusals = 1
    name = listen(pushConfig={"pushEndpoint": worker.url}, retryPolicy={"minimumBackoff": "0.1s"})
    number = publish("knock", action="CreateInstance")
    tries = [worker.received.get(timeout=PATIENCE_SECONDS) for _ in range(2)]
    assert [each["message"]["messageId"] for each in tries] == [number, number]
    assert tries[0]["subscription"] == name
    assert base64.b64decode(tries[1]["message"]["data"]) == b"knock"
    publish("next")
    assert texts([worker.received.get(timeout=PATIENCE_SECONDS)]) == ["next"]


@pytest.fixture
def own_state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of an emulator that this test may kill."""
    yield tmp_path / "emulator"
    lifecycle.stop(tmp_path / "emulator")


def is_noted(log: Path, text: str) -> bool:
    return text in log.read_text()


def test_push_goes_on_after_a_kill(own_state: Path, worker: Worker) -> None:
    running = lifecycle.start(own_state, all_services_enabled=True)
    home = "projects/local-project"
    topic, name = f"{home}/topics/events", f"{home}/subscriptions/watch"
    far = {"topic": topic, "pushConfig": {"pushEndpoint": "https://worker.example.com/dicom"}}
    near = {**far, "pushConfig": {"pushEndpoint": worker.url}}
    quick = {"retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "1s"}}
    for path, body in ((topic, {}), (f"{name}-far", far), (name, {**near, **quick})):
        http.put(f"{running.url}/v1/{path}", json=body).raise_for_status()
    worker.refusals = 1_000_000
    published = {"messages": [{"data": base64.b64encode(b"knock").decode()}]}
    http.post(f"{running.url}/v1/{topic}:publish", json=published).raise_for_status()
    log = own_state / "emulator.log"
    received = []
    for worker.refusal in (503, 500):
        received.append(worker.received.get(timeout=PATIENCE_SECONDS))
        # Noted once the message is free again: after a kill before, it would be so in 10 s.
        noted = partial(is_noted, log, f"did not take a message (status {worker.refusal})")
        wait_until(noted, "the refusal is not noted")
    before, again = received
    assert again == before

    server = psutil.Process(running.pid)
    server.kill()
    psutil.wait_procs([server], timeout=PATIENCE_SECONDS)
    while not worker.received.empty():
        worker.received.get()
    worker.refusals = 0
    lifecycle.start(own_state, all_services_enabled=True)

    after = worker.received.get(timeout=PATIENCE_SECONDS)
    assert after["message"] == before["message"]
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "logs"],
        env={**os.environ, "LAB_DIR": str(own_state.parent)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert f"{name}-far: nothing is pushed to worker.example.com" in done.stdout
    assert f"{name}: the endpoint did not take a message (status 503)" in done.stdout
    assert "s3cret" not in done.stdout
