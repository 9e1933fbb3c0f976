from collections.abc import Callable

import httplib2
import pytest
from googleapiclient.errors import HttpError

from scripts.common import retrying


def _error(code: int) -> HttpError:
    return HttpError(httplib2.Response({"status": str(code)}), b"{}")


def _failing(*errors: Exception) -> tuple[Callable[[], str], list[Exception]]:
    left = list(errors)

    def target() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return target, left


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_passing_codes_are_tried_again(code: int, naps: list[float]) -> None:
    target, _ = _failing(_error(code), _error(code))
    assert retrying.call(target) == "answer"
    assert len(naps) == 2
    assert all(0 <= nap <= retrying.MAXIMUM_SECONDS for nap in naps)


def test_a_dataset_that_is_being_made_is_waited_for(naps: list[float]) -> None:
    body = b'{"error": {"code": 404, "message": "dataset not initialized"}}'
    target, _ = _failing(HttpError(httplib2.Response({"status": "404"}), body))
    assert retrying.call(target) == "answer"
    assert len(naps) == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 501])
def test_final_codes_are_not(code: int, naps: list[float]) -> None:
    target, left = _failing(_error(code), _error(code))
    with pytest.raises(HttpError):
        retrying.call(target)
    assert len(left) == 1
    assert naps == []


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), httplib2.ServerNotFoundError()]
)
def test_lost_connections_are_tried_again(error: Exception) -> None:
    assert retrying.call(_failing(error)[0]) == "answer"


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
    ],
)
def test_what_must_not_run_twice_is_repeated_after_refusals_only(
    error: Exception, *, again: bool
) -> None:
    target, _ = _failing(error)
    if again:
        assert retrying.call(target, repeatable=False) == "answer"
    else:
        with pytest.raises(type(error)):
            retrying.call(target, repeatable=False)


def test_the_deadline_ends_it_with_the_services_own_error() -> None:
    target, _ = _failing(*[_error(503)] * 50)
    with pytest.raises(HttpError) as caught:
        retrying.call(target, deadline=0)
    assert caught.value.status_code == 503


def test_bugs_are_not_repeated(naps: list[float]) -> None:
    with pytest.raises(KeyError):
        retrying.call(_failing(KeyError("x"))[0])
    assert naps == []
