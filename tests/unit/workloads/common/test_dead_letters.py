"""Dead letters: listed, corrected and delivered again, beside an adapter that runs."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.waiting import wait_until
from workloads.common import spool as spool_module
from workloads.common.counters import Counters
from workloads.common.dead_letters import app
from workloads.common.delivery import Delivery, Refused
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "LOOK_SECONDS", 0.01)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool with two dead letters and an item that waits."""
    spool = Spool(tmp_path)
    for text in ("one", "two"):
        spool.put(text.encode(), peer=f"of {text}")
        item = spool.next()
        assert item
        spool.refuse(item, f"{text} is wrong")
    spool.put(b"three")
    return spool


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Runs the command on the spool."""

    def run(*arguments: str) -> Result:
        command, *more = arguments
        return CliRunner().invoke(app, [command, str(tmp_path), *more])

    return run


def keys(run: Callable[..., Result]) -> list[str]:
    return [letter["key"] for letter in json.loads(run("list", "--json").stdout)]


def test_they_are_listed_with_their_reasons(spool: Spool, run: Callable[..., Result]) -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert [(one["reason"], one["attributes"]) for one in listed] == [
        ("one is wrong", {"peer": "of one"}),
        ("two is wrong", {"peer": "of two"}),
    ]
    text = run("list").stdout
    assert "peer=of one\n    one is wrong\n" in text
    assert text.endswith("2 dead letters\n")
    assert spool.dead() == 2


def test_a_corrected_one_is_delivered_while_the_adapter_runs(
    spool: Spool, run: Callable[..., Result], tmp_path: Path
) -> None:
    delivered: list[tuple[bytes, dict[str, str]]] = []

    def deliver(item: Item) -> None:
        if item.read() == b"two":
            raise Refused("still wrong")
        delivered.append((item.read(), item.attributes))

    running = Delivery(spool, deliver, Log("test"), Counters())
    running.start()
    first, second = keys(run)
    (tmp_path / "dead" / first).write_bytes(b"ONE")
    done = run("redeliver", first)
    assert done.stdout.startswith("1 dead letter put back")
    wait_until(lambda: (b"ONE", {"peer": "of one"}) in delivered, "it is not delivered")
    assert keys(run) == [second]
    assert run("redeliver", "--all").exit_code == 0
    wait_until(lambda: spool.pending() == 0 and spool.dead() == 1, "it is not refused again")
    running.stop()
    assert [data for data, _ in delivered] == [b"three", b"ONE"]
    assert json.loads(run("list", "--json").stdout)[0]["reason"] == "still wrong"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dead", "lock", "pending"]


def test_the_next_start_delivers_too(spool: Spool, run: Callable[..., Result]) -> None:
    spool.release()
    assert run("redeliver", *keys(run)).exit_code == 0
    again = Spool(spool._pending.parent)
    items = [again.next() for _ in range(3)]
    assert [item and item.read() for item in items] == [b"three", b"one", b"two"]
    assert again.poll() is None
    later = again.put(b"later")
    assert all(item and item.key < later.key for item in items)


def test_nothing_known_is_delivered_twice(spool: Spool) -> None:
    waiting = spool.next()
    assert waiting
    assert spool.poll() is None
    spool._next_look = 0
    assert spool.poll() is None
    spool.remove(waiting)
    spool.put(b"four")
    spool._next_look = 0
    assert [item and item.read() for item in (spool.poll(), spool.poll())] == [b"four", None]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["redeliver"], 2, "name the keys of dead letters, or --all"),
        (["redeliver", "1", "--all"], 2, "name the keys of dead letters, or --all"),
        (["redeliver", "17"], 1, "has no dead letter 17. `list` prints the keys."),
    ],
)
def test_wrong_arguments_are_named(
    spool: Spool, run: Callable[..., Result], arguments: list[str], code: int, words: str
) -> None:
    ran = run(*arguments)
    assert (ran.exit_code, spool.dead()) == (code, 2)
    assert words in ran.stderr


def test_a_folder_that_is_not_a_spool_is_named(tmp_path: Path, run: Callable[..., Result]) -> None:
    ran = run("list")
    assert ran.exit_code == 1
    assert f"{tmp_path} is not a spool: it has no folder 'dead'" in ran.stderr


def test_only_the_user_of_the_adapter_puts_letters_back(
    spool: Spool, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    ran = run("redeliver", "--all")
    assert (ran.exit_code, spool.dead()) == (1, 2)
    assert "Run this as the adapter's user." in ran.stderr
