"""The way of one file into the store: stored once, looked at when refused, or a dead letter."""

import dataclasses

import pytest

from pipelines.common.objects import File, ReadError
from pipelines.common.retry import Caller
from pipelines.common.throttle import Throttle
from pipelines.ingest.ingestion import Ingestion, Outcome
from pipelines.ingest.rules import Rules
from tests.support.dicom_files import make_dicom
from workloads.common.dicomweb import StoreError

FILE = File("b", "a.dcm", 7, 100)
PATH = "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"
EXISTS = StoreError("already exists: other", 409)


class Store:
    """A store that refuses with some error."""

    def __init__(self, error: StoreError | None = None, present: bytes = b"") -> None:
        self.error, self.present = error, present
        self.stored: list[bytes] = []

    def store(self, content: bytes) -> None:
        if self.error:
            raise self.error
        self.stored.append(content)

    def retrieve(self, path: str, transfer_syntax: str) -> bytes:
        assert (path, transfer_syntax) == (PATH, "*")
        return self.present


def ingest(store: Store, content: bytes = b"", file: File = FILE) -> Outcome:
    caller = Caller(Throttle(0), patience=0.001)
    good = content or make_dicom()
    return Ingestion(lambda _: good, store, caller, Rules(max_bytes=1000)).run(file)


def test_a_file_is_stored() -> None:
    store = Store()
    assert ingest(store) == Outcome(FILE.key, "stored", PATH)
    assert store.stored == [make_dicom()]


def test_what_is_there_already_is_no_dead_letter() -> None:
    assert ingest(Store(EXISTS, make_dicom())).result == "present"


def test_another_instance_of_the_uid_is_a_conflict() -> None:
    outcome = ingest(Store(EXISTS, make_dicom(PatientID="p2")))
    assert (outcome.result, outcome.path) == ("conflict", PATH)


def test_a_damaged_answer_is_a_conflict() -> None:
    assert ingest(Store(EXISTS, b"nothing")).result == "conflict"


@pytest.mark.parametrize(
    ("error", "result"),
    [(StoreError("busy", 503), "failed"), (StoreError("not valid", 400), "rejected")],
)
def test_other_refusals_are_dead_letters(error: StoreError, result: str) -> None:
    outcome = ingest(Store(error))
    assert (outcome.result, outcome.reason) == (result, error.reason)


def test_a_file_of_too_many_bytes_is_not_read() -> None:
    outcome = ingest(Store(), file=dataclasses.replace(FILE, size=1001))
    assert outcome.reason == "the file has 1001 bytes, more than 1000"


def test_a_file_that_is_gone_has_failed() -> None:
    def gone(_: File) -> bytes:
        raise ReadError("gone")

    outcome = Ingestion(gone, Store(), Caller(Throttle(0)), Rules()).run(FILE)
    assert outcome.to_json() == {"source": FILE.key, "result": "failed", "reason": "gone"}
