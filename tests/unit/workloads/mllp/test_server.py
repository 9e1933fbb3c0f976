"""The server, with `hl7.mllp` and plain sockets as its clients."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.hl7v2_messages import EUROPEAN, RESULT, admission
from tests.support.mllp import exchange, serving
from tests.support.waiting import wait_until
from workloads.common import tls
from workloads.common.counters import Counters
from workloads.common.tls import TlsError
from workloads.mllp import acknowledgement
from workloads.mllp.framing import framed
from workloads.mllp.server import Limits

Lines = Callable[[], list[dict[str, Any]]]


class Fake:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.is_available = True

    def answer(self, data: bytes, peer: str) -> bytes | None:
        self.begun.set()
        self.go.wait(10)
        self.received.append(data)
        return acknowledgement.acknowledge(data) if self.is_available else None


@pytest.fixture
def receiver() -> Fake:
    return Fake()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def rest(connection: socket.socket) -> bytes:
    """The bytes that come until the server closes the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(4096):
            found += chunk
    return found


def test_many_messages_of_a_connection_are_answered_byte_for_byte(receiver: Fake) -> None:
    messages = [admission("1"), EUROPEAN, RESULT, b"\x00\xff\x0b\r\n", admission("5")]
    with serving(receiver) as server:
        answers = exchange(server.port, messages)
    assert receiver.received == messages
    assert [acknowledgement.parse(one).control_id for one in answers] == [  # type: ignore[union-attr]
        "1",
        "K1",
        "L-77",
        "",
        "5",
    ]


def test_messages_that_are_sent_together_are_answered_in_order(receiver: Fake) -> None:
    with serving(receiver) as server, connect(server.port) as client:
        client.sendall(framed(admission("1")) + framed(admission("2")))
        client.shutdown(socket.SHUT_WR)
        first, second = rest(client).split(b"\x1c\r")[:2]
    assert b"|1" in first
    assert second.startswith(b"\x0bMSH")
    assert second.endswith(b"MSA|AA|2")


@pytest.mark.parametrize(
    ("sent", "event", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "broken framing", "VT"),
        (b"\x0bMSH|\x1cX", "broken framing", "after FS"),
        (b"\x0bMSH|^~\\&|A", "broken framing", "ended inside a frame"),
    ],
)
def test_broken_framing_is_logged_and_closes_the_connection(
    receiver: Fake, logged: Lines, sent: bytes, event: str, reason: str
) -> None:
    with serving(receiver) as server:
        with connect(server.port) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert rest(client) == b""
        assert exchange(server.port, [admission("next")])
    [line] = logged()
    assert (line["message"], line["severity"]) == (event, "WARNING")
    assert reason in line["reason"]
    assert receiver.received == [admission("next")]


def test_an_unfinished_frame_times_out_and_an_idle_connection_does_not(
    receiver: Fake, logged: Lines
) -> None:
    with (
        serving(receiver, Limits(frame_seconds=0.1)) as server,
        connect(server.port) as idle,
        connect(server.port) as slow,
    ):
        slow.sendall(b"\x0bMSH")
        assert rest(slow) == b""
        idle.sendall(framed(admission("late")))
        idle.shutdown(socket.SHUT_WR)
        assert rest(idle).endswith(b"MSA|AA|late\x1c\r")
    assert [line["message"] for line in logged()] == ["time-out inside a frame or a handshake"]


def test_an_oversized_message_is_rejected_and_the_connection_stays(receiver: Fake) -> None:
    large = admission("big") + b"NTE|1||" + b"x" * 200_000
    with serving(receiver, Limits(message_bytes=100_000)) as server:
        nack, ack = exchange(server.port, [large, admission("small")])
    assert nack.endswith(b"MSA|AR|big|the message is larger than 100000 bytes")
    assert ack.endswith(b"MSA|AA|small")
    assert receiver.received == [admission("small")]


def test_without_an_answer_the_connection_is_closed(receiver: Fake) -> None:
    receiver.is_available = False
    with serving(receiver) as server, connect(server.port) as client:
        client.sendall(framed(admission()))
        assert rest(client) == b""


def test_connections_have_a_limit(receiver: Fake, logged: Lines) -> None:
    counters = Counters()
    with (
        serving(receiver, Limits(connections=1), counters=counters) as server,
        connect(server.port) as first,
    ):
        with connect(server.port) as second:
            assert rest(second) == b""
        first.sendall(framed(admission("1")))
        first.shutdown(socket.SHUT_WR)
        assert rest(first).endswith(b"MSA|AA|1\x1c\r")
        wait_until(lambda: not server._connections, "the first connection is not forgotten")
        assert exchange(server.port, [admission("3")])
    assert [line["message"] for line in logged()] == ["too many connections"]
    assert counters.snapshot()["connections_refused"] == 1


def test_a_stop_answers_the_message_in_work(receiver: Fake) -> None:
    receiver.go.clear()
    with serving(receiver) as server, connect(server.port) as client:
        client.sendall(framed(admission("last")))
        assert receiver.begun.wait(10)
        threading.Timer(0.05, receiver.go.set).start()
        server.stop()
        assert rest(client).endswith(b"MSA|AA|last\x1c\r")


def test_tls_asks_for_the_certificate_of_a_client(
    receiver: Fake, tmp_path: Path, logged: Lines
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    pair, own = authority.sign("server"), authority.sign("client")
    context = tls.server_context(pair.certificate, pair.key, authority.certificate)
    right = tls.client_context(authority.certificate, own.certificate, own.key)
    with serving(receiver, tls=context) as server:
        assert exchange(server.port, [admission("1"), admission("2")], right)[1].endswith(b"|2")
        with pytest.raises((OSError, EOFError)):
            exchange(server.port, [admission()], tls.client_context(authority.certificate))
        with pytest.raises(ssl.SSLCertVerificationError):
            exchange(server.port, [admission()], tls.client_context(other.certificate))
        with connect(server.port) as plain:
            plain.sendall(framed(admission()))
            rest(plain)
    lines = logged()
    assert {line["message"] for line in lines} == {"TLS failed"}
    assert any("PEER_DID_NOT_RETURN_A_CERTIFICATE" in line["reason"] for line in lines)
    assert len(receiver.received) == 2


def test_a_health_check_is_not_logged(receiver: Fake, tmp_path: Path, logged: Lines) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    for context in (None, tls.server_context(pair.certificate, pair.key, None)):
        with serving(receiver, tls=context) as server, connect(server.port) as probe:
            probe.shutdown(socket.SHUT_WR)
            assert rest(probe) == b""
    assert logged() == []


def test_files_that_are_not_certificates_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, two = authority.sign("one"), authority.sign("two")
    text = tmp_path / "text"
    text.write_text("hello")
    with pytest.raises(TlsError, match=r"one\.crt and .*two\.key .*key values mismatch"):
        tls.server_context(one.certificate, two.key, None)
    with pytest.raises(TlsError, match=r"none.*No such file"):
        tls.server_context(tmp_path / "none", two.key, None)
    with pytest.raises(TlsError, match=r"text can't be used for TLS"):
        tls.server_context(one.certificate, one.key, text)
    with pytest.raises(TlsError, match=r"text can't be used for TLS"):
        tls.client_context(text)
