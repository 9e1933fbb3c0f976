"""Answers to push requests: done, again, or a dead letter with its reason."""

import base64
import io
import json
from typing import Any

import pydicom
import pytest

from emulator.seed import dicom_file, records
from tests.unit.workloads.fakes import FakeSession
from workloads.common.counters import Counters
from workloads.common.dicomweb import DicomWeb, StoreError
from workloads.inference.arrival import Arrivals
from workloads.inference.cardiothoracic import CardiothoracicRatio
from workloads.inference.function import Function

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"
TOPIC = "projects/p/topics/unmeasured"


class FakeStore(DicomWeb):
    """A store with one x-ray."""

    def __init__(self) -> None:
        self.store_name = STORE
        self.content = dicom_file.build(records.load()[0])
        self.stored: dict[str, bytes] = {}
        self.failure: StoreError | None = None

    def metadata(self, path: str) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        header = pydicom.dcmread(io.BytesIO(self.content), stop_before_pixels=True)
        found: dict[str, Any] = json.loads(header.to_json())
        return found

    def retrieve(self, path: str, transfer_syntax: str) -> bytes:
        return self.content

    def store(self, content: bytes) -> None:
        uid = pydicom.dcmread(io.BytesIO(content)).SOPInstanceUID
        if uid in self.stored:
            raise StoreError("already exists: another content", 409)
        self.stored[uid] = content


class Bench:
    """The function over fakes."""

    def __init__(self) -> None:
        self.store, self.session, self.counters = FakeStore(), FakeSession(), Counters()
        arrivals = Arrivals(
            self.store, CardiothoracicRatio(), self.counters, has_presentation_state=True
        )
        self.function = Function(arrivals, self.session.session(), TOPIC)

    def push(self, name: str, **attributes: str) -> int:
        data = base64.b64encode(name.encode()).decode()
        message = {"data": data, "attributes": attributes, "messageId": "7"}
        return self.function.answer({"message": message, "subscription": "s"})[1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


INSTANCE = f"{STORE}/dicomWeb/studies/1.2/series/1.3/instances/1.4"


def test_an_arrival_is_measured_once(bench: Bench) -> None:
    assert bench.push(INSTANCE) == 204
    modalities = [pydicom.dcmread(io.BytesIO(one)).Modality for one in bench.store.stored.values()]
    assert modalities == ["SR", "PR"]
    assert bench.push(INSTANCE) == 204
    assert len(bench.store.stored) == 2
    assert bench.counters.snapshot() == {"duplicates": 2, "measured": 2}


def test_own_reports_are_skipped(bench: Bench) -> None:
    bench.push(INSTANCE)
    bench.store.content = next(iter(bench.store.stored.values()))
    assert bench.push(INSTANCE) == 204
    assert len(bench.store.stored) == 2
    assert bench.counters.snapshot()["skipped"] == 1


@pytest.mark.parametrize(
    ("name", "action"),
    [
        (INSTANCE.replace("Stores/s/", "Stores/other/"), "StoreInstances"),
        (INSTANCE, "DeleteInstances"),
    ],
)
def test_other_stores_and_deletions_are_skipped(bench: Bench, name: str, action: str) -> None:
    assert bench.push(name, action=action) == 204
    assert bench.store.stored == {}


def test_a_poison_message_is_published_with_its_reason(bench: Bench) -> None:
    bench.session.answers = [(200, {})]
    assert bench.push("not an instance", action="StoreInstances") == 204
    [(_, url, body)] = bench.session.calls
    assert url.endswith(f"/v1/{TOPIC}:publish")
    [message] = body["messages"]
    assert base64.b64decode(message["data"]) == b"not an instance"
    assert message["attributes"] == {
        "action": "StoreInstances",
        "reason": "The message does not name an instance of a DICOM store.",
        "messageId": "7",
    }


def test_a_dead_letter_that_is_not_published_comes_again(bench: Bench) -> None:
    bench.session.answers = [(403, {})]
    assert bench.push("not an instance") == 503


@pytest.mark.parametrize(("code", "answer"), [(503, 503), (None, 503)])
def test_failures_that_pass_come_again(bench: Bench, code: int | None, answer: int) -> None:
    bench.store.failure = StoreError("unavailable", code)
    assert bench.push(INSTANCE) == answer
    assert bench.session.calls == []


def test_a_request_without_a_message_is_refused(bench: Bench) -> None:
    assert bench.function.answer({"subscription": "s"})[1] == 400
    assert bench.function.answer(None)[1] == 400
