"""gRPC of Pub/Sub: its methods, one by one, and its callers where IAM is enforced."""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import NotFound, PermissionDenied
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import pubsub

from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.channels import channel_to
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
SERVICES = json.loads((resources.files("google.pubsub_v1") / "gapic_metadata.json").read_text())
METHODS = [
    f"{service}/{method}"
    for service, described in SERVICES["services"].items()
    for method in described["clients"]["grpc"]["rpcs"]
]
"""Every method of the protos that Google's client is generated from."""
UNSERVED = {
    "Publisher/DetachSubscription",
    "Publisher/ListTopicSnapshots",
    "Subscriber/CreateSnapshot",
    "Subscriber/DeleteSnapshot",
    "Subscriber/GetSnapshot",
    "Subscriber/ListSnapshots",
    "Subscriber/Seek",
    "Subscriber/UpdateSnapshot",
    *(method for method in METHODS if method.startswith("SchemaService/")),
}
ANNA = "user:anna@example.com"


@pytest.fixture(scope="module")
def channel(emulator: ServerInfo) -> Iterator[grpc.Channel]:
    with channel_to(f"127.0.0.1:{emulator.ports.api}") as opened:
        yield opened


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_served_or_refused_by_name(channel: grpc.Channel, method: str) -> None:
    call: Any = channel.stream_stream(f"/google.pubsub.v1.{method}")
    with pytest.raises(grpc.RpcError) as refused:
        list(call(iter([b""]), timeout=PATIENCE_SECONDS))
    error = refused.value
    name = method.replace("/", ".")
    if method in UNSERVED:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED
        assert error.details() == (
            f"google.pubsub.v1.{name} is not served by the local Google Cloud yet."
        )
    else:  # an empty request names nothing
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_the_page_lists_the_methods_that_are_not_served() -> None:
    text = PAGE.read_text()
    listed = {method.partition("/")[2] for method in UNSERVED if not method.startswith("Schema")}
    assert {name for name in {*listed, "SchemaService"} if f"`{name}`" not in text} == set()


@pytest.fixture
def enforced(tmp_path: Path) -> Iterator[ServerInfo]:
    state = tmp_path / "emulator"
    yield lifecycle.start(state, all_services_enabled=True, enforce_iam=True)
    lifecycle.stop(state)


def test_a_stream_needs_the_permission_to_consume(enforced: ServerInfo) -> None:
    api, name = f"{enforced.url}/v1", "projects/hospital/subscriptions/watch"
    topic = "projects/hospital/topics/events"
    owner = {"Authorization": "Bearer local"}
    policy = {"bindings": [{"role": "roles/pubsub.subscriber", "members": [ANNA]}]}

    def change(verb: str, path: str, body: object) -> None:
        answer = http.request(verb, f"{api}/{path}", json=body, headers=owner)
        assert answer.is_success, answer.text

    change("PUT", topic, {})
    change("PUT", name, {"topic": topic})
    change("POST", f"{topic}:publish", {"messages": [{"data": "YQ=="}]})
    channel = channel_to(f"127.0.0.1:{enforced.ports.api}")
    transport = SubscriberGrpcTransport(channel=channel)
    caller = [("authorization", f"Bearer local:{ANNA}")]

    def receive(subscription: str, metadata: list[tuple[str, str]]) -> list[bytes]:
        first = pubsub.StreamingPullRequest(
            subscription=subscription, stream_ack_deadline_seconds=10
        )
        stream = client.streaming_pull(iter([first]), metadata=metadata, timeout=PATIENCE_SECONDS)
        return [one.message.data for one in next(iter(stream)).received_messages]

    with SubscriberClient(transport=transport) as client:
        with pytest.raises(PermissionDenied, match="User not authorized"):
            receive(name, caller)
        with pytest.raises(PermissionDenied, match="User not authorized"):
            client.pull(subscription=name, max_messages=1, metadata=caller)
        with pytest.raises(NotFound, match="none"):
            receive(f"{name}-none", [("authorization", "Bearer local")])
        change("POST", f"{name}:setIamPolicy", {"policy": policy})
        assert receive(name, caller) == [b"a"]
