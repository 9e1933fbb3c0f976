"""Failures of an operation, read from Cloud Logging."""

from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, operation_errors
from scripts.lib.google.operation_errors import Failure
from scripts.lib.google.operations import Operation
from tests.unit.scripts.fakes import OPERATION, FakeGoogle, refusal


@pytest.fixture
def logging(monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    fake = FakeGoogle()
    client = build("logging", "v2", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "cloud_logging", lambda: client)
    return fake


def entry(number: int) -> dict[str, Any]:
    error = {"code": 3, "message": "not DICOM"}
    return {"jsonPayload": {"source": f"gs://b/{number}.txt", "error": error}}


def failed(count: int) -> Operation:
    return Operation(OPERATION, done=True, failure=count)


def test_each_page_is_read_for_the_operation_alone(logging: FakeGoogle) -> None:
    logging.answers = [
        (200, {"entries": [entry(2)], "nextPageToken": "t"}),
        (200, {"entries": [entry(1)]}),
    ]
    found = operation_errors.read(failed(2))
    assert found == [Failure(f"gs://b/{n}.txt", "not DICOM") for n in (1, 2)]
    (_, path, first), (_, _, second) = logging.asked
    assert "/v2/entries:list?" in path
    assert first["resourceNames"] == ["projects/local-project"]
    assert first["filter"] == f'operation.id="{OPERATION}" AND severity>=ERROR'
    assert second["pageToken"] == "t"


def test_entries_that_come_late_are_waited_for(logging: FakeGoogle, delays: list[float]) -> None:
    pages: list[list[Any]] = [[], [entry(1)], [entry(1), entry(2)]]
    logging.answers = [(200, {"entries": page}) for page in pages]
    assert len(operation_errors.read(failed(2))) == 2
    assert delays == [operation_errors.PAUSE_SECONDS] * 2


def test_what_is_sampled_is_returned_in_the_end(
    logging: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_errors, "MAX_WAIT_SECONDS", 0)
    logging.answers = [(200, {"entries": [entry(1)]})]
    assert operation_errors.read(failed(1000)) == [Failure("gs://b/1.txt", "not DICOM")]


@pytest.mark.parametrize("key", ["resourceName", "destination"])
def test_an_item_of_an_export_is_named_by_its_resource_or_destination(
    logging: FakeGoogle, key: str
) -> None:
    payload = {key: "projects/p/x", "error": {"message": "lost"}}
    logging.answers = [(200, {"entries": [{"jsonPayload": payload}]})]
    assert operation_errors.read(failed(1)) == [Failure("projects/p/x", "lost")]


def test_a_refusal_is_an_error(logging: FakeGoogle) -> None:
    logging.answers = [refusal(403, "PERMISSION_DENIED", "logging.logEntries.list denied")]
    with pytest.raises(ScriptError, match=r"in Cloud Logging failed: logging\.logEntries\.list"):
        operation_errors.read(failed(1))
