"""Push: what an endpoint gets, who is called, and what outlives a failure."""

import base64
import json
import logging
import ssl
import threading
from collections.abc import Callable
from queue import Empty, Queue
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.services.pubsub import push_request, push_token
from tests.support.emulator_names import PROJECT
from tests.support.waiting import PATIENCE_SECONDS

TOPIC = f"{PROJECT}/topics/events"
WATCH = f"{PROJECT}/subscriptions/watch"
ENDPOINT = "http://127.0.0.1:9/push?token=s3cret"
RECEIVED = {
    "ackId": "a",
    "message": {
        "data": "a25vY2s=",
        "attributes": {"modality": "CT", "Host": "evil", "bad key": "x", "line": "a\nb"},
        "messageId": "7",
        "publishTime": "2026-01-02T03:04:05Z",
        "orderingKey": "k",
    },
}


class Endpoints:
    """A push endpoint: its requests and its responses."""

    def __init__(self) -> None:
        self.posted: Queue[tuple[str, str]] = Queue()
        self.failures: dict[str, int] = {}
        self.open = threading.Event()
        self.open.set()

    def post(self, _client: object, subscription: Any, received: Any) -> str | None:
        assert self.open.wait(PATIENCE_SECONDS)
        name = subscription["name"].rpartition("/")[2]
        self.posted.put((name, received["message"]["data"]))
        left = self.failures.get(name, 0)
        self.failures[name] = left - 1
        return "status 503" if left > 0 else None

    def next(self) -> tuple[str, str]:
        return self.posted.get(timeout=PATIENCE_SECONDS)

    def silent(self) -> bool:
        try:
            self.posted.get(timeout=0.3)
        except Empty:
            return True
        return False


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    found = Endpoints()
    monkeypatch.setattr(push_request, "post", found.post)
    return found


@pytest.fixture
def watch(client: TestClient) -> Callable[..., None]:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()

    def make(name: str = WATCH, endpoint: str = ENDPOINT, **settings: Any) -> None:
        quick = {"retryPolicy": {"minimumBackoff": "0.01s", "maximumBackoff": "0.01s"}}
        push = {"pushConfig": {"pushEndpoint": endpoint}}
        body = {"topic": TOPIC, **push, **quick, **settings}
        client.put(f"/v1/{name}", json=body).raise_for_status()

    return make


def subscription(**config: Any) -> dict[str, Any]:
    push = {"pushEndpoint": ENDPOINT, **config}
    return {"name": WATCH, "ackDeadlineSeconds": 60, "pushConfig": push}


def posted(answer: Callable[[httpx.Request], httpx.Response], **config: Any) -> str | None:
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        return push_request.post(client, subscription(**config), RECEIVED)


def request_of(status: int, **config: Any) -> httpx.Request:
    """The one request of a message that the endpoint takes."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    assert posted(answer, **config) is None
    [request] = asked
    return request


def test_a_cloud_that_pushes_nothing_loads_no_certificates(
    open_cloud: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: loaded.append("certificates"))

    open_cloud()

    assert loaded == []


def test_a_message_is_wrapped() -> None:
    request = request_of(204)

    assert (request.method, str(request.url)) == ("POST", ENDPOINT)
    assert request.extensions["timeout"]["read"] == 60
    same = {"message_id": "7", "publish_time": "2026-01-02T03:04:05Z"}
    assert json.loads(request.content) == {
        "message": {**RECEIVED["message"], **same},  # type: ignore[dict-item]
        "subscription": WATCH,
    }


@pytest.mark.parametrize("with_metadata", [True, False])
def test_a_message_without_its_wrapper(with_metadata: bool) -> None:
    request = request_of(200, noWrapper={"writeMetadata": with_metadata})

    assert request.content == b"knock"
    assert request.headers["host"] == "127.0.0.1:9"
    metadata = {
        "modality": "CT",
        "x-goog-pubsub-subscription-name": WATCH,
        "x-goog-pubsub-message-id": "7",
        "x-goog-pubsub-publish-time": "2026-01-02T03:04:05Z",
        "x-goog-pubsub-ordering-key": "k",
    }
    shown = {key: value for key, value in request.headers.items() if key in metadata}
    assert shown == (metadata if with_metadata else {})
    assert not {"bad key", "line"} & request.headers.keys()


def _refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"refused: {request.url}")


@pytest.mark.parametrize(
    ("answer", "endpoint", "failure"),
    [
        (lambda _: httpx.Response(503, text="s3cret"), ENDPOINT, "status 503"),
        (lambda _: httpx.Response(302, headers={"location": "http://a"}), ENDPOINT, "status 302"),
        (_refused, ENDPOINT, "ConnectError"),
        (lambda _: httpx.Response(200), "http://127.0.0.1:9/\ud800", "UnicodeEncodeError"),
        (lambda _: httpx.Response(200), "http://127.0.0.1:9/\x01", "InvalidURL"),
    ],
)
def test_why_a_message_was_not_taken(answer: Any, endpoint: str, failure: str) -> None:
    assert posted(answer, pushEndpoint=endpoint) == failure


def test_what_waits_is_pushed_in_its_order(
    cloud: Cloud, endpoints: Endpoints, watch: Callable[..., None]
) -> None:
    watch()
    cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}, {"data": "Yg=="}])

    assert [endpoints.next(), endpoints.next()] == [("watch", "YQ=="), ("watch", "Yg==")]
    assert endpoints.silent()


def test_trouble_is_logged_once_without_the_address(
    cloud: Cloud,
    endpoints: Endpoints,
    watch: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoints.failures["watch"] = 3
    watch()
    cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}])

    assert [endpoints.next() for _ in range(4)] == [("watch", "YQ==")] * 4
    messages = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert messages == [f"{WATCH}: the endpoint did not take a message (status 503): tried again"]


def test_no_one_else_than_this_machine_is_called(
    cloud: Cloud,
    client: TestClient,
    endpoints: Endpoints,
    watch: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch(endpoint="https://worker.example.com/dicom?token=s3cret")
    watch(name=f"{WATCH}2")
    for _ in range(2):
        cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}])
        assert endpoints.next() == ("watch2", "YQ==")

    messages = [each.getMessage() for each in caplog.records if WATCH in each.getMessage()]
    assert messages == [
        f"{WATCH}: nothing is pushed to worker.example.com: only endpoints on this machine are "
        "called"
    ]
    # Nothing is lost: with an endpoint that may be called, all that waits arrives.
    local = {"pushConfig": {"pushEndpoint": ENDPOINT}}
    client.post(f"/v1/{WATCH}:modifyPushConfig", json=local).raise_for_status()
    assert [endpoints.next(), endpoints.next()] == [("watch", "YQ==")] * 2


def test_a_slow_endpoint_holds_up_no_one_else(
    cloud: Cloud,
    endpoints: Endpoints,
    watch: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, free = threading.Event(), threading.Event()

    def post(client: object, subscription: Any, received: Any) -> str | None:
        if subscription["name"] == WATCH:
            stuck.set()
            assert free.wait(PATIENCE_SECONDS)
        return endpoints.post(client, subscription, received)

    monkeypatch.setattr(push_request, "post", post)
    watch()
    watch(name=f"{WATCH}2")
    cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}])

    assert stuck.wait(PATIENCE_SECONDS)
    assert endpoints.next() == ("watch2", "YQ==")
    free.set()
    assert endpoints.next() == ("watch", "YQ==")


def test_nothing_is_pushed_for_a_deleted_subscription(
    cloud: Cloud, client: TestClient, endpoints: Endpoints, watch: Callable[..., None]
) -> None:
    endpoints.failures["watch"] = 1_000_000
    watch()
    cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}])
    assert endpoints.next() == ("watch", "YQ==")

    client.delete(f"/v1/{WATCH}").raise_for_status()
    while not endpoints.silent():
        pass  # the one that was on its way
    endpoints.failures.clear()
    watch()
    cloud.pubsub.messages.publish(TOPIC, [{"data": "Yg=="}])

    assert endpoints.next() == ("watch", "Yg==")


def test_a_restart_goes_on_with_what_was_not_taken(
    cloud: Cloud,
    client: TestClient,
    open_cloud: Callable[..., Cloud],
    endpoints: Endpoints,
    watch: Callable[..., None],
) -> None:
    cloud.pubsub.push.close()
    watch()
    cloud.pubsub.messages.publish(TOPIC, [{"data": "YQ=="}])
    assert endpoints.silent()

    with TestClient(create_app(open_cloud()), "http://127.0.0.1"):
        assert endpoints.next() == ("watch", "YQ==")
        assert endpoints.silent()


@pytest.mark.parametrize(
    ("token", "audience"), [({}, ENDPOINT), ({"audience": "https://app"}, "https://app")]
)
def test_a_push_says_on_whose_behalf_it_comes(token: dict[str, str], audience: str) -> None:
    email = "pusher@local-project.iam.gserviceaccount.com"
    asked = {"serviceAccountEmail": email, **token}
    config = {"pushEndpoint": ENDPOINT, "oidcToken": asked}
    header = push_token.authorization({"pushConfig": config})["authorization"]
    head, claims, signature = header.removeprefix("Bearer ").split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert decoded["email"] == email
    assert decoded["aud"] == audience
    assert decoded["exp"] > decoded["iat"]
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "RS256"
    assert len(base64.urlsafe_b64decode(signature + "==")) == 256


def test_a_push_without_a_token_names_no_one() -> None:
    assert push_token.authorization({"pushConfig": {"pushEndpoint": ENDPOINT}}) == {}
