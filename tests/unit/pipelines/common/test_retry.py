"""Calls of a store: which failures are retried, and how the throttle learns of them."""

from collections.abc import Callable

import pytest

from pipelines.common import retry
from pipelines.common.retry import Caller
from pipelines.common.throttle import Throttle
from workloads.common.dicomweb import StoreError


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "INITIAL_SECONDS", 0.001)
    monkeypatch.setattr(retry, "MAX_SECONDS", 0.002)


def failing(*errors: Exception) -> Callable[[], str]:
    pending = [*errors]

    def request() -> str:
        if pending:
            raise pending.pop(0)
        return "done"

    return request


def test_transient_failures_are_retried() -> None:
    notes: list[int] = []
    throttle = Throttle(1000.0)
    caller = Caller(throttle, 10.0, lambda: notes.append(1))
    errors = StoreError("unreachable", None), StoreError("quota", 429)
    assert caller.call(failing(*errors)) == "done"
    assert len(notes) == 2
    assert throttle.rate < 1000.0


def test_a_refusal_is_not_retried() -> None:
    with pytest.raises(StoreError, match="wrong"):
        Caller(Throttle(0), 10.0).call(failing(StoreError("wrong", 400)))


def test_the_last_failure_is_raised_when_patience_ends() -> None:
    caller = Caller(Throttle(0, sleep=lambda _: None), 0.01)
    with pytest.raises(StoreError, match="busy"):
        caller.call(failing(*[StoreError("busy", 503)] * 1000))
