"""Delivery from a spool: order, retries, dead letters, and a stop that loses nothing."""

import json
import threading
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from workloads.common import delivery as module
from workloads.common.counters import Counters
from workloads.common.delivery import Backoff, Delivery, Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.Backoff, "seconds", lambda self: 0.001)


def test_items_are_delivered_in_order_and_the_head_is_retried(spool: Spool) -> None:
    sent: list[bytes] = []
    failures = [Unavailable("no connection"), ValueError("a bug that names Muster^Anna")]

    def deliver(item: Item) -> None:
        if failures:
            raise failures.pop()
        sent.append(item.read())

    counters = Counters()
    for data in (b"1", b"2", b"3"):
        spool.put(data)
    running = Delivery(spool, deliver, Log("test"), counters)
    running.start()
    wait_until(lambda: spool.pending() == 0, "items are not delivered")
    running.stop()
    assert sent == [b"1", b"2", b"3"]
    assert counters.snapshot() == {"delivered": 3, "retries": 2}


def test_a_refused_item_does_not_stop_those_behind_it(spool: Spool, tmp_path: Path) -> None:
    def deliver(item: Item) -> None:
        if item.read() == b"bad":
            raise Refused("no such segment")

    counters = Counters()
    spool.put(b"bad")
    spool.put(b"good")
    running = Delivery(spool, deliver, Log("test"), counters)
    running.start()
    wait_until(lambda: counters.snapshot().get("delivered") == 1, "nothing is delivered")
    running.stop()
    [report] = (tmp_path / "dead").glob("*.json")
    assert json.loads(report.read_text())["reason"] == "no such segment"
    assert counters.snapshot() == {"dead_letters": 1, "delivered": 1}


def test_a_stop_leaves_the_rest_in_the_spool(spool: Spool) -> None:
    begun, end = threading.Event(), threading.Event()

    def deliver(item: Item) -> None:
        begun.set()
        end.wait(5)

    spool.put(b"1")
    spool.put(b"2")
    running = Delivery(spool, deliver, Log("test"), Counters())
    running.start()
    assert begun.wait(5)
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    assert running._stop.wait(5)
    end.set()
    stopping.join()
    assert spool.pending() == 1


def test_the_backoff_doubles_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    backoff = Backoff(1, 5)
    assert [backoff.seconds() for _ in range(4)] == [1, 2, 4, 5]
    backoff.reset()
    assert backoff.seconds() == 1
