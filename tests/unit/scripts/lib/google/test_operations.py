import httplib2
import pytest

from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.google import clients, operations
from scripts.lib.google.operations import Operation, OperationFailedError, StillRunningError
from tests.unit.scripts.fakes import OPERATION, FakeGoogle, operation, refusal


def test_counters_are_strings_and_may_be_absent() -> None:
    body = operation(success=3, failure=1, pending=2)
    del body["metadata"]["counter"]["pending"]
    looked = Operation.from_json(body)
    assert (looked.success, looked.failure, looked.pending) == (3, 1, 0)
    assert Operation.from_json({"name": OPERATION}) == Operation(OPERATION, done=False)


@pytest.mark.parametrize("name", ["42", "operations/42", f"{OPERATION}/more", "", "projects/p"])
def test_what_is_no_name_is_refused_before_any_call(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid operation name"):
        operations.check_name(name)


def test_it_is_followed_to_its_end_with_growing_pauses(
    google: FakeGoogle, delays: list[float]
) -> None:
    google.answers = [
        *((200, operation(success=n, pending=40 - n)) for n in range(40)),
        (200, operation(success=40, done=True)),
    ]
    seen: list[int] = []
    last = operations.follow(
        clients.healthcare(), OPERATION, resume="r", report=lambda o: seen.append(o.success)
    )
    assert last.done
    assert seen == list(range(41))
    assert len(delays) == 40
    assert delays[0] <= operations.INITIAL_POLL_SECONDS
    assert max(delays) <= operations.MAX_POLL_SECONDS
    assert sum(delays[20:]) > sum(delays[:20])
    assert {uri.partition("?")[0] for _, uri, _ in google.asked} == {
        f"https://healthcare.googleapis.com/v1/{OPERATION}"
    }


def test_a_service_that_is_away_for_a_moment_is_waited_for(google: FakeGoogle) -> None:
    google.answers = [
        ConnectionRefusedError("restarting"),
        refusal(503, "UNAVAILABLE", "later"),
        (200, operation(success=1, done=True)),
    ]
    assert operations.follow(clients.healthcare(), OPERATION, resume="r").success == 1


def test_time_being_up_says_how_to_resume(google: FakeGoogle) -> None:
    google.answers = [(200, operation(success=1, pending=1))]
    with pytest.raises(StillRunningError) as caught:
        operations.follow(clients.healthcare(), OPERATION, resume="do this", timeout=0)
    assert caught.value.exit_code is ExitCode.STILL_RUNNING
    assert OPERATION in caught.value.message
    assert caught.value.hint == "Follow it again: do this"
    assert caught.value.details["success"] == 1


def test_ctrl_c_says_how_to_resume(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    google.answers = [(200, operation(success=1, pending=1))]
    monkeypatch.setattr("time.sleep", interrupt)
    with pytest.raises(StillRunningError) as caught:
        operations.follow(clients.healthcare(), OPERATION, resume="do this")
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert "Interrupted" in caught.value.message
    assert caught.value.hint == "Follow it again: do this"


def test_an_unknown_operation_is_named(google: FakeGoogle) -> None:
    google.answers = [refusal(404, "NOT_FOUND", "Operation not found")]
    with pytest.raises(ScriptError, match=f"Reading {OPERATION} failed: Operation not found"):
        operations.follow(clients.healthcare(), OPERATION, resume="r")


def test_failed_units_are_counted_and_the_log_named() -> None:
    body = operation(success=3, failure=2, done=True, error={"code": 2, "message": "2 errors"})
    with pytest.raises(OperationFailedError) as caught:
        operations.raise_if_failed(Operation.from_json(body), "importing into s")
    assert caught.value.message == "Importing into s: 2 of 5 failed. 2 errors"
    assert caught.value.hint == "The log: https://console.cloud.google.com/logs/query"
    assert caught.value.exit_code is ExitCode.PARTLY_FAILED


def test_failed_units_count_even_without_an_error() -> None:
    body = operation(success=3, failure=2, done=True)
    with pytest.raises(OperationFailedError, match="2 of 5 failed"):
        operations.raise_if_failed(Operation.from_json(body), "importing")


@pytest.mark.parametrize(
    ("code", "status"), [(1, "CANCELLED"), (7, "PERMISSION_DENIED"), (99, "UNKNOWN")]
)
def test_an_error_keeps_its_text_and_status(code: int, status: str) -> None:
    body = operation(done=True, error={"code": code, "message": "bigquery.tables.create denied"})
    with pytest.raises(OperationFailedError) as caught:
        operations.raise_if_failed(Operation.from_json(body), "exporting")
    message = f"Exporting failed: bigquery.tables.create denied ({code} {status})"
    assert caught.value.message == message
    assert "roles/bigquery.admin" in caught.value.hint
    assert caught.value.exit_code is ExitCode.FAILED
    assert caught.value.details["status"] == status


def test_server_not_found_is_an_absence_too(google: FakeGoogle) -> None:
    google.answers = [httplib2.ServerNotFoundError("x"), (200, operation(done=True))]
    assert operations.get(clients.healthcare(), OPERATION).done
