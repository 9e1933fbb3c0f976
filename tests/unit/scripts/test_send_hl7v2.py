"""The command line of the script that sends HL7v2 messages."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts import send_hl7v2
from scripts.lib.errors import ExitCode
from tests.support.hl7v2_messages import EUROPEAN, admission
from tests.support.mllp import FakePeer
from tests.unit.scripts.fakes import DATASET, FakeGoogle, Ran, refusal

STORE = f"{DATASET}/hl7V2Stores/hl7v2store1"
OTHER = f"{DATASET}/hl7V2Stores/other"
DETAIL = "type.googleapis.com/google.cloud.healthcare.v1.hl7v2.IngestMessageErrorDetail"


@pytest.fixture
def stores(lab_stack: dict[str, Any]) -> None:
    lab_stack["hl7v2Stores"] = {"hl7v2store1": STORE, "other": OTHER}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.hl7"
    path.write_bytes(b"MSH|one")
    return path


@pytest.mark.usefixtures("stores")
def test_a_folder_is_sent_in_the_order_of_names(
    run: Callable[..., Ran], google: FakeGoogle, file: Path
) -> None:
    (file.parent / "b.hl7").write_bytes(b"MSH|two")
    google.answers = [(200, {"hl7Ack": ""})]
    ran = run(send_hl7v2.app, str(file.parent), "--json")
    assert ran.code == ExitCode.OK
    assert ran.json == {"store": STORE, "success": 2, "failure": 0, "failures": []}
    sent = [base64.b64decode(body["message"]["data"]) for _, _, body in google.asked]
    assert sent == [b"MSH|one", b"MSH|two"]
    assert all(f"{STORE}/messages:ingest" in url for _, url, _ in google.asked)


@pytest.mark.usefixtures("stores")
def test_a_store_of_the_stack_is_chosen_by_name(
    run: Callable[..., Ran], google: FakeGoogle, file: Path
) -> None:
    google.answers = [(503, {}), (200, {"hl7Ack": ""})]
    ran = run(send_hl7v2.app, str(file), "--store", "other")
    assert ran.out.strip() == f"{OTHER} has acknowledged 1 message."
    assert len(google.asked) == 2  # the first one was retried


@pytest.mark.usefixtures("stores")
def test_a_refused_message_is_reported_and_an_error_of_the_service_ends_the_script(
    run: Callable[..., Ran], google: FakeGoogle, file: Path
) -> None:
    code, answer = refusal(400, "INVALID_ARGUMENT", "unsupported encoding")
    answer["error"]["details"] = [{"@type": DETAIL, "hl7Nack": ""}]
    google.answers = [(code, answer)]
    ran = run(send_hl7v2.app, str(file))
    assert ran.code == ExitCode.PARTLY_FAILED
    assert f"{file} was refused: unsupported encoding" in ran.err
    google.answers = [refusal(404, "NOT_FOUND", "no such store")]
    assert run(send_hl7v2.app, str(file)).code == ExitCode.FAILED


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--store", "none"], "has no HL7v2 store 'none'"),
        (["--project", "p"], "--dataset and --store alone choose"),
        (["--dataset", "d"], "has no dataset 'd'"),
    ],
)
def test_usage_errors(
    run: Callable[..., Ran],
    google: FakeGoogle,
    file: Path,
    arguments: list[str],
    reason: str,
) -> None:
    ran = run(send_hl7v2.app, str(file), *arguments)
    assert ran.code == ExitCode.USAGE
    assert reason in ran.err
    assert google.asked == []


def test_an_empty_folder_has_nothing_to_send(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run(send_hl7v2.app, str(tmp_path))
    assert (ran.code, "no files to send" in ran.err) == (ExitCode.USAGE, True)


def test_messages_go_to_a_server_of_mllp_on_one_connection(
    run: Callable[..., Ran], file: Path
) -> None:
    (file.parent / "b.hl7").write_bytes(EUROPEAN)
    file.write_bytes(admission())
    with FakePeer(["AE"]) as peer:
        ran = run(send_hl7v2.app, str(file.parent), "--mllp", f"localhost:{peer.port}", "--json")
    assert ran.code == ExitCode.PARTLY_FAILED
    assert (ran.json["error"]["success"], ran.json["error"]["failure"]) == (1, 1)
    assert ran.json["error"]["failures"] == [{"source": str(file), "error": "AE"}]
    assert (peer.received, peer.connections) == ([admission(), EUROPEAN], 1)


def test_a_server_of_mllp_that_fails_is_named(run: Callable[..., Ran], file: Path) -> None:
    file.write_bytes(admission())
    with FakePeer(["close"]) as peer:
        address = f"127.0.0.1:{peer.port}"
        ran = run(send_hl7v2.app, str(file), "--mllp", address)
        assert ran.code == ExitCode.FAILED
        assert f"Sending to {address} failed: the connection was closed" in ran.err
    for host in ("127.0.0.1", "localhost"):
        ran = run(send_hl7v2.app, str(file), "--mllp", f"{host}:{peer.port}")
        assert ran.code == ExitCode.FAILED
        assert f"Sending to {host}:{peer.port} failed: " in ran.err
        assert "Connect call failed" in ran.err
    for more in (["--mllp", "host"], ["--mllp", address, "--store", "s"]):
        assert run(send_hl7v2.app, str(file), *more).code == ExitCode.USAGE
