"""The MLLP adapter as a process, between peers of `hl7.mllp` and the emulator."""

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.server.server_file import ServerInfo
from scripts import send_hl7v2
from scripts.lib.errors import ExitCode
from tests.support import http
from tests.support.adapters import ROOT, Adapter
from tests.support.hl7v2_messages import EUROPEAN, RESULT, admission, body
from tests.support.import_export import healthcare
from tests.support.mllp import FakePeer, exchange
from tests.support.waiting import wait_until
from workloads.mllp import acknowledgement

pytestmark = pytest.mark.sockets


class Ward:
    """A dataset with an HL7v2 store in a project of its own."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.running, self.project = running, project
        datasets = healthcare(running).projects().locations().datasets()
        self.stores = datasets.hl7V2Stores()
        self.messages = self.stores.messages()
        parent = f"projects/{project}/locations/us-central1"
        datasets.create(parent=parent, datasetId="d", body={}).execute()
        self.dataset = f"{parent}/datasets/d"
        self.store = self.add_store("hl7")

    def add_store(self, store_id: str, **settings: Any) -> str:
        settings = {"parserConfig": {"version": "V2"}, **settings}
        request = self.stores.create(parent=self.dataset, hl7V2StoreId=store_id, body=settings)
        return str(request.execute()["name"])

    def stored(self) -> list[bytes]:
        """The bytes of all messages."""
        answer = self.messages.list(parent=self.store, view="RAW_ONLY").execute()
        return [base64.b64decode(one["data"]) for one in answer.get("hl7V2Messages", [])]


@pytest.fixture
def ward(emulator: ServerInfo, project: str) -> Ward:
    return Ward(emulator, project)


@pytest.fixture
def start(emulator: ServerInfo) -> Iterator[Callable[..., Adapter]]:
    """A function that starts an adapter, which is stopped at the end."""
    started: list[Adapter] = []

    def start(*arguments: str) -> Adapter:
        adapter = Adapter("workloads.mllp", *arguments, environment=emulator.environment())
        started.append(adapter)
        return adapter

    yield start
    for adapter in started:
        adapter.kill()


def code_of(answer: bytes) -> tuple[str, str]:
    parsed = acknowledgement.parse(answer)
    assert parsed is not None
    return parsed.code, parsed.control_id


def test_messages_reach_the_store_and_its_answers_the_sender(
    ward: Ward, start: Callable[..., Adapter]
) -> None:
    adapter = start("--port", "0", "--hl7v2-store", ward.store)
    port = adapter.port
    answers = exchange(port, [admission("1"), EUROPEAN, RESULT, b"no header"])
    assert [code_of(answer) for answer in answers] == [
        ("AA", "1"),
        ("AE", "K1"),
        ("AA", "L-77"),
        ("AE", ""),
    ]
    assert b"only ASCII and UTF-8" in answers[1]
    assert ward.stored() == [admission("1"), RESULT]
    adapter.stop()
    assert adapter.counters == {"acks": 2, "connections": 1, "messages": 4, "nacks": 2}
    assert not any(name in str(adapter.lines) for name in ("Muster", "Müller"))


def test_the_script_sends_by_the_adapter(
    ward: Ward, start: Callable[..., Adapter], tmp_path: Path
) -> None:
    for name, data in (("1.hl7", admission()), ("2.hl7", EUROPEAN), ("3.hl7", RESULT)):
        (tmp_path / name).write_bytes(data)
    port = start("--port", "0", "--hl7v2-store", ward.store).port
    command = [str(tmp_path), "--mllp", f"127.0.0.1:{port}", "--json"]
    sent = CliRunner().invoke(send_hl7v2.app, command)
    assert sent.exit_code == ExitCode.PARTLY_FAILED, sent.output
    error = json.loads(sent.stdout)["error"]
    assert (error["success"], error["failure"]) == (2, 1)
    assert "only ASCII and UTF-8" in error["failures"][0]["error"]
    assert ward.stored() == [admission(), RESULT]


def test_the_spool_is_delivered_and_keeps_dead_letters(
    ward: Ward, start: Callable[..., Adapter], tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    adapter = start("--port", "0", "--hl7v2-store", ward.store, "--spool", str(spool))
    port = adapter.port
    answers = exchange(port, [admission("1"), EUROPEAN, RESULT])
    assert [code_of(answer) for answer in answers] == [("AA", "1"), ("AA", "K1"), ("AA", "L-77")]
    wait_until(lambda: len(ward.stored()) == 2, "the spool is not delivered")
    assert ward.stored() == [admission("1"), RESULT]
    [letter] = (spool / "dead").glob("*.json")
    assert "only ASCII and UTF-8" in json.loads(letter.read_text())["reason"]
    assert letter.with_suffix("").read_bytes() == EUROPEAN
    letter.with_suffix("").write_bytes(admission("corrected"))
    again = [sys.executable, "-m", "workloads.common.dead_letters", "redeliver", str(spool)]
    subprocess.run([*again, letter.stem], cwd=ROOT, check=True)
    wait_until(lambda: len(ward.stored()) == 3, "the corrected message is not delivered")
    assert not [*(spool / "dead").iterdir()]
    second = start("--port", "0", "--hl7v2-store", ward.store, "--spool", str(spool))
    assert "in use by another process" in second.wait_for_error(1)
    adapter.stop()
    assert adapter.entries("stopped", pending=0)


def test_new_messages_of_a_store_reach_a_peer(
    ward: Ward, start: Callable[..., Adapter], grant: Callable[..., None], tmp_path: Path
) -> None:
    grant("roles/pubsub.publisher")
    topic = f"projects/{ward.project}/topics/hl7"
    subscription = f"projects/{ward.project}/subscriptions/hl7"
    for path, content in ((topic, {}), (subscription, {"topic": topic})):
        http.put(f"{ward.running.url}/v1/{path}", json=content).raise_for_status()
    store = ward.add_store("out", notificationConfigs=[{"pubsubTopic": topic}])
    for data in (admission("1"), admission("refused"), RESULT):
        ward.messages.create(parent=store, body=body(data)).execute()
    with FakePeer(["AA", "AR"]) as peer:
        adapter = start(
            *("--outgoing", "--subscription", subscription),
            *("--peer", f"127.0.0.1:{peer.port}", "--spool", str(tmp_path)),
        )
        wait_until(lambda: len(peer.received) == 3, "the peer gets no messages")
        assert sorted(peer.received) == sorted([admission("1"), admission("refused"), RESULT])
        ward.messages.create(parent=store, body=body(admission("4"))).execute()
        wait_until(lambda: peer.received[3:] == [admission("4")], "the peer gets no new message")
        adapter.wait_for("peer refused a message")
    adapter.stop()
    assert peer.connections == 1
    assert len([*(tmp_path / "dead").glob("*.json")]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hl7v2-store", "{store}x"], "The HL7v2 store {store}x does not exist"),
        (["--hl7v2-store", "{store}", "--port", "{port}"], "can't listen at 127.0.0.1:{port}"),
        (
            [
                "--outgoing",
                "--subscription",
                "projects/{project}/subscriptions/none",
                "--peer",
                "a:1",
            ],
            "projects/{project}/subscriptions/none can't be used: 404",
        ),
    ],
)
def test_what_does_not_exist_is_named_at_the_start(
    ward: Ward, start: Callable[..., Adapter], arguments: list[str], words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        known = {
            "store": ward.store,
            "project": ward.project,
            "port": other.getsockname()[1],
        }
        adapter = start(*(one.format(**known) for one in arguments))
        assert words.format(**known) in adapter.wait_for_error(1)
