"""The MLLP adapter, killed at random moments.

Incoming, with a spool: what it acknowledged is in the store. Outgoing: what is in the store reaches
the peer.
"""

import asyncio
import base64
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.soak.fuzzing import LOCATION, PROJECT, Target
from tests.support.adapters import Adapter
from tests.support.hl7v2_messages import admission, body
from tests.support.mllp import FakePeer, exchange
from tests.support.waiting import wait_until
from workloads.mllp import acknowledgement

pytestmark = pytest.mark.sockets

MAX_WAIT_SECONDS = 0.3


class Sender(threading.Thread):
    """A hospital that sends message after message, each until it is acknowledged."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.port = 0
        self.acknowledged: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            key = f"K{len(self.acknowledged)}"
            try:
                [answer] = exchange(self.port, [admission(key)])
            except (OSError, EOFError, asyncio.IncompleteReadError):
                self.stop.wait(0.01)
                continue
            parsed = acknowledgement.parse(answer)
            assert parsed is not None
            assert (parsed.code, parsed.control_id) == ("AA", key)
            self.acknowledged.append(key)


def _stored(victim: Target, store: str) -> set[str]:
    """The control ids of all messages of a store."""
    found, token = set(), ""
    while True:
        query = {"view": "RAW_ONLY", "pageSize": "1000", "pageToken": token}
        page = victim.client.get(f"/v1/{store}/messages", params=query).raise_for_status().json()
        for one in page.get("hl7V2Messages", []):
            found.add(acknowledgement.control_id(base64.b64decode(one["data"])))
        token = page.get("nextPageToken", "")
        if not token:
            return found


def _new_store(victim: Target, dataset: str, **settings: Any) -> str:
    datasets = f"/v1/{LOCATION}/datasets"
    victim.client.post(f"{datasets}?datasetId={dataset}", json={}).raise_for_status()
    stores = f"{datasets}/{dataset}/hl7V2Stores?hl7V2StoreId=s"
    return str(victim.client.post(stores, json=settings).raise_for_status().json()["name"])


def test_nothing_acknowledged_is_lost(
    victim: Target,
    soak: bool,
    draw: random.Random,
    report: Callable[..., None],
    tmp_path: Path,
) -> None:
    store = _new_store(victim, "incoming")
    sender, kills = Sender(), 50 if soak else 5

    def start() -> Adapter:
        adapter = Adapter(
            "workloads.mllp",
            *("--port", str(sender.port), "--hl7v2-store", store, "--spool", str(tmp_path)),
            environment=victim.running.environment(),
        )
        sender.port = adapter.port
        return adapter

    adapter = start()
    sender.start()
    for _ in range(kills):
        before = len(sender.acknowledged)
        wait_until(
            lambda before=before: len(sender.acknowledged) > before,  # type: ignore[misc]
            "no message is acknowledged",
        )
        sender.stop.wait(draw.uniform(0, MAX_WAIT_SECONDS))
        adapter.kill()
        adapter = start()
    sender.stop.set()
    sender.join()
    wait_until(lambda: not [*(tmp_path / "pending").iterdir()], "the spool is not delivered")
    adapter.stop()
    lost = set(sender.acknowledged) - _stored(victim, store)
    report(
        "kills of the MLLP adapter", kills=kills, messages=len(sender.acknowledged), lost=len(lost)
    )
    assert lost == set()
    assert not [*(tmp_path / "dead").iterdir()]


def _subscribe(victim: Target) -> tuple[str, str]:
    """Make a topic that the Healthcare service agent may publish to, and a subscription."""
    topic, subscription = (
        f"projects/{PROJECT}/{collection}/sent" for collection in ("topics", "subscriptions")
    )
    for path, content in ((topic, {}), (subscription, {"topic": topic})):
        victim.client.put(f"/v1/{path}", json=content).raise_for_status()
    healthcare = f"/v1/projects/{PROJECT}/services/healthcare.googleapis.com"
    victim.client.post(f"{healthcare}:generateServiceIdentity").raise_for_status()
    number = victim.client.get(f"/v1/projects/{PROJECT}").json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = {"bindings": [{"role": "roles/pubsub.publisher", "members": [agent]}]}
    victim.client.post(f"/v1/{topic}:setIamPolicy", json={"policy": policy}).raise_for_status()
    return topic, subscription


def test_every_message_of_a_store_reaches_the_peer(
    victim: Target, soak: bool, draw: random.Random, report: Callable[..., None]
) -> None:
    topic, subscription = _subscribe(victim)
    store = _new_store(victim, "outgoing", notificationConfigs=[{"pubsubTopic": topic}])
    kills, sent, end = 50 if soak else 3, set[bytes](), threading.Event()

    def send() -> None:
        while not end.is_set():
            data = admission(f"O{len(sent)}")
            created = victim.client.post(f"/v1/{store}/messages", json=body(data))
            created.raise_for_status()
            sent.add(data)

    with FakePeer() as peer:

        def start() -> Adapter:
            return Adapter(
                "tests.support.short_deadlines",
                *("--outgoing", "--subscription", subscription),
                *("--peer", f"127.0.0.1:{peer.port}", "--ack-seconds", "2"),
                environment=victim.running.environment(),
            )

        adapter, sender = start(), threading.Thread(target=send)
        sender.start()
        for _ in range(kills):
            before = len(peer.received)
            wait_until(
                lambda before=before: len(peer.received) > before,  # type: ignore[misc]
                "the peer gets no message",
            )
            end.wait(draw.uniform(0, MAX_WAIT_SECONDS))
            adapter.kill()
            adapter = start()
        end.set()
        sender.join()
        adapter.wait_for("sending")
        wait_until(lambda: sent <= set(peer.received), "messages are lost")
        adapter.stop()
    assert set(peer.received) == sent
    report(
        "kills of the outgoing MLLP adapter",
        kills=kills,
        messages=len(sent),
        repeated=len(peer.received) - len(sent),
        lost=0,
    )
