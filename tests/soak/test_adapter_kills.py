"""The MLLP adapter with a spool, killed at random moments: what it acknowledged is in the store."""

import asyncio
import base64
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak.fuzzing import LOCATION, Target
from tests.support.adapters import Adapter
from tests.support.hl7v2_messages import admission
from tests.support.mllp import exchange
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


def test_nothing_acknowledged_is_lost(
    victim: Target,
    soak: bool,
    draw: random.Random,
    report: Callable[..., None],
    tmp_path: Path,
) -> None:
    dataset = f"/v1/{LOCATION}/datasets?datasetId=adapter"
    victim.client.post(dataset, json={}).raise_for_status()
    stores = f"/v1/{LOCATION}/datasets/adapter/hl7V2Stores?hl7V2StoreId=s"
    store = str(victim.client.post(stores, json={}).raise_for_status().json()["name"])
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
