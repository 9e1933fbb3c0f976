import ast
from collections.abc import Callable
from email.utils import formatdate
from http.client import IncompleteRead
from pathlib import Path
from time import time

import httplib2
import pytest
import requests
from google.api_core import exceptions
from googleapiclient.errors import HttpError

from scripts.lib.google import retry

_OF_LIBRARIES = {
    *("get_dataset", "update_dataset", "get_table", "list_tables", "delete_table"),
    *("get_bucket", "list_blobs", "get_iam_policy", "set_iam_policy"),
}
"""Calls of google-cloud-bigquery and google-cloud-storage."""


def _error(code: int) -> HttpError:
    return HttpError(httplib2.Response({"status": str(code)}), b"{}")


def _response(code: int, body: bytes = b"{}", *, wish: str = "") -> requests.HTTPError:
    response = requests.Response()
    response.status_code, response._content = code, body
    response.headers["Retry-After"] = wish
    return requests.HTTPError(response=response)


def _failing(*errors: Exception) -> tuple[Callable[[], str], list[Exception]]:
    left = list(errors)

    def target() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return target, left


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_passing_codes_are_tried_again(code: int, delays: list[float]) -> None:
    target, _ = _failing(_error(code), _error(code))
    assert retry.call(target) == "answer"
    assert len(delays) == 2
    assert all(0 <= nap <= retry.MAXIMUM_SECONDS for nap in delays)


def test_a_dataset_that_is_being_made_is_waited_for(delays: list[float]) -> None:
    body = b'{"error": {"code": 404, "message": "dataset not initialized"}}'
    by_client = HttpError(httplib2.Response({"status": "404"}), body)
    target, _ = _failing(by_client, _response(404, body))
    assert retry.call(target, repeatable=False) == "answer"
    assert len(delays) == 2


@pytest.mark.parametrize("by_date", [False, True])
def test_a_service_is_left_alone_for_as_long_as_it_asks(
    delays: list[float], *, by_date: bool
) -> None:
    wish = formatdate(time() + 8.5, usegmt=True) if by_date else "7"
    by_client = HttpError(httplib2.Response({"status": "429", "retry-after": wish}), b"{}")
    by_session = _response(429, wish=wish)
    by_library = exceptions.TooManyRequests("", response=by_session.response)  # type: ignore[no-untyped-call]
    target, _ = _failing(by_client, by_session, by_library)
    assert retry.call(target) == "answer"
    assert [7 <= nap <= 9 for nap in delays] == [True, False] * 3


def test_a_retry_delay_beyond_the_deadline_is_not_waited_for(
    delays: list[float],
) -> None:
    target, left = _failing(_response(503, wish="3600"), _error(503))
    with pytest.raises(requests.HTTPError):
        retry.call(target)
    assert (len(left), delays) == (1, [])


@pytest.mark.parametrize("wish", ["soon", "-1", ""])
def test_a_wish_that_can_not_be_read_is_none(wish: str, delays: list[float]) -> None:
    assert retry.call(_failing(_response(429, wish=wish))[0]) == "answer"
    assert len(delays) == 1


def test_a_job_that_failed_by_bigquerys_fault_is_run_again() -> None:
    def failed(reason: str) -> Exception:
        errors = [{"reason": reason, "message": "x"}]
        return exceptions.BadRequest("x", errors=errors)  # type: ignore[no-untyped-call]

    assert retry.call(_failing(failed("jobBackendError"))[0]) == "answer"
    with pytest.raises(exceptions.BadRequest):
        retry.call(_failing(failed("invalidQuery"))[0])


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 501])
def test_final_codes_are_not(code: int, delays: list[float]) -> None:
    target, left = _failing(_error(code), _error(code))
    with pytest.raises(HttpError):
        retry.call(target)
    assert len(left) == 1
    assert delays == []


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        httplib2.ServerNotFoundError(),
        IncompleteRead(b"half"),
        requests.exceptions.ChunkedEncodingError(),
        exceptions.GatewayTimeout("late"),  # type: ignore[no-untyped-call]
    ],
)
def test_lost_connections_are_tried_again(error: Exception) -> None:
    assert retry.call(_failing(error)[0]) == "answer"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (_error(429), True),
        (_error(503), True),
        (ConnectionRefusedError(), True),
        (_error(500), False),
        (_error(504), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
        (IncompleteRead(b"half"), False),
    ],
)
def test_what_must_not_run_twice_is_repeated_after_refusals_only(
    error: Exception, *, again: bool
) -> None:
    target, _ = _failing(error)
    if again:
        assert retry.call(target, repeatable=False) == "answer"
    else:
        with pytest.raises(type(error)):
            retry.call(target, repeatable=False)
    assert retry.is_doubtful(error) is not again


def test_the_deadline_ends_it_with_the_services_own_error() -> None:
    target, _ = _failing(*[_error(503)] * 50)
    with pytest.raises(HttpError) as caught:
        retry.call(target, deadline=0)
    assert caught.value.status_code == 503


def test_bugs_are_not_repeated(delays: list[float]) -> None:
    with pytest.raises(KeyError):
        retry.call(_failing(KeyError("x"))[0])
    assert delays == []


@pytest.mark.parametrize(
    "path", sorted(Path(retry.__file__).parents[2].rglob("*.py")), ids=lambda path: path.name
)
def test_no_library_repeats_a_call_by_itself(path: Path) -> None:
    """BigQuery's would for ten minutes, and each of our attempts as long again."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_LIBRARIES:
            given = {keyword.arg for keyword in call.keywords}
            assert "retry" in given, f"{path.name}, line {call.lineno}: give {call.func.attr} retry"
