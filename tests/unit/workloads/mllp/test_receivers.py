"""Answers of the incoming side: those of the store, of the spool, and none."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.hl7v2_messages import EUROPEAN, admission
from tests.unit.workloads.fakes import FakeSession
from workloads.common import delivery
from workloads.common.counters import Counters
from workloads.common.delivery import Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.mllp import acknowledgement
from workloads.mllp.receivers import DirectReceiver, SpooledReceiver, StoreDelivery
from workloads.mllp.store import Messages, UnknownStoreError

STORE = "projects/p/locations/l/datasets/d/hl7V2Stores/s"
ACK = (200, {"hl7Ack": base64.b64encode(b"MSH|ack").decode()})
NACK = {
    "code": 400,
    "message": "field of Muster^Anna",
    "details": [
        {
            "@type": "type.googleapis.com/google.cloud.healthcare.v1.hl7v2."
            "IngestMessageErrorDetail",
            "hl7Nack": base64.b64encode(b"MSH|nack").decode(),
        }
    ],
}


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery.Backoff, "seconds", lambda self: 0.001)


class Direct:
    """A direct receiver over a fake session."""

    def __init__(self) -> None:
        self.fake, self.counters, self.stop = FakeSession(), Counters(), threading.Event()
        self.receiver = DirectReceiver(
            Messages(self.fake.session()), STORE, Log("test"), self.counters, self.stop
        )

    def answer(self, *answers: Any, data: bytes = admission("C-1")) -> bytes | None:
        self.fake.answers = list(answers)
        return self.receiver.answer(data, "peer")


@pytest.fixture
def direct() -> Direct:
    return Direct()


def test_the_acknowledgement_of_the_store_is_passed_on_byte_for_byte(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://localhost:1/v1beta1/")
    direct = Direct()
    assert direct.answer(ACK, data=EUROPEAN) == b"MSH|ack"
    [(method, url, body)] = direct.fake.calls
    assert (method, url) == ("POST", f"http://localhost:1/v1/{STORE}/messages:ingest?fields=hl7Ack")
    assert base64.b64decode(body["message"]["data"]) == EUROPEAN


def test_a_nack_is_passed_on_and_not_logged(
    direct: Direct, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    assert direct.answer((400, {"error": NACK})) == b"MSH|nack"
    [line] = logged()
    assert line["message"] == "store refused a message"
    assert "Muster" not in str(line)
    assert direct.counters.snapshot() == {"nacks": 1}


@pytest.mark.parametrize("answer", [{"error": {"message": "too large"}}, "text", {"error": "x"}])
def test_a_refusal_without_a_nack_becomes_one(direct: Direct, answer: Any) -> None:
    nack = acknowledgement.parse(direct.answer((413, answer)) or b"")
    assert nack is not None
    assert (nack.code, nack.control_id) == ("AE", "C-1")
    assert nack.text in ("too large", "413 reason")


def test_a_transient_failure_is_retried(direct: Direct) -> None:
    lost = requests.ConnectionError("no route")
    assert direct.answer((503, {}), lost, (429, {}), ACK) == b"MSH|ack"
    assert len(direct.fake.calls) == 4


@pytest.mark.parametrize("code", [403, 404])
def test_a_missing_store_or_grant_is_not_retried_and_not_answered(
    direct: Direct, code: int, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    assert direct.answer((code, {"error": {"message": "no"}})) is None
    [line] = logged()
    assert (line["severity"], line["reason"]) == ("ERROR", f"{code} reason")


def test_retries_end(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloads.mllp.receivers.RETRY_SECONDS", 0.0)
    assert direct.answer((503, {})) is None
    assert direct.counters.snapshot() == {"unanswered": 1}


def test_a_stop_ends_retries(direct: Direct) -> None:
    direct.stop.set()
    assert direct.answer((503, {})) is None


def test_a_spooled_message_is_acknowledged_without_the_store(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    receiver = SpooledReceiver(spool, Log("test"), Counters())
    ack = acknowledgement.parse(receiver.answer(EUROPEAN, "10.0.0.1:9") or b"")
    assert ack == acknowledgement.Acknowledgement("AA", "K1", "")
    item = spool.next()
    assert item is not None
    assert (item.read(), item.attributes) == (EUROPEAN, {"peer": "10.0.0.1:9"})
    nack = acknowledgement.parse(receiver.answer(b"PID|1", "p") or b"")
    assert nack is not None
    assert (nack.code, nack.text) == ("AE", "the message has no MSH segment")
    assert spool.pending() == 1


def test_a_full_disk_is_no_acknowledgement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    receiver = SpooledReceiver(spool, Log("test"), Counters())
    assert receiver.answer(admission(), "p") is None
    assert spool.pending() == 0


def test_the_delivery_of_the_spool_ends_in_the_store_or_a_dead_letter(tmp_path: Path) -> None:
    fake = FakeSession(ACK, (400, {"error": NACK}), (404, {}))
    deliver = StoreDelivery(Messages(fake.session()), STORE)
    item = Spool(tmp_path).put(admission())
    deliver(item)
    with pytest.raises(Refused, match="field of"):
        deliver(item)
    # A store that was deleted, or a grant: a person restores it, and no message is lost.
    with pytest.raises(Unavailable):
        deliver(item)


def test_a_store_that_does_not_exist_is_found_at_the_start() -> None:
    messages = Messages(FakeSession((404, {"error": {"message": "not found"}})).session())
    with pytest.raises(UnknownStoreError, match=f"The HL7v2 store {STORE} does not exist"):
        messages.check(STORE)
