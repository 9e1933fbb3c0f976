"""Requests that are committed together: shared transactions, and separate errors."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from emulator.core.resources.commit_group import CommitGroup
from tests.support.waiting import wait_until


class Transactions:
    """Commits numbers; refuses the groups that hold a wrong one, or all of them."""

    def __init__(self) -> None:
        self.committed: list[list[int]] = []
        self.errors: dict[int, BaseException] = {}
        self.lock = threading.Lock()
        self.group = CommitGroup(self.lock, self._commit)

    def _commit(self, numbers: Sequence[int]) -> list[int]:
        for number in numbers:
            if error := self.errors.get(number):
                raise error
        self.committed.append([*numbers])
        return [number * 10 for number in numbers]

    def share(self, *numbers: int) -> list[Future[int]]:
        """Have several callers wait for one transaction."""
        calls: list[Future[int]] = []

        def waits(number: int) -> Callable[[], bool]:
            return lambda: len(self.group._waiting) == number

        with ThreadPoolExecutor(len(numbers)) as callers:
            with self.lock:
                for count, number in enumerate(numbers, start=1):
                    calls.append(callers.submit(self.group.add, number))
                    wait_until(waits(count), "a caller does not wait")
            return calls


def test_callers_that_wait_share_a_transaction() -> None:
    transactions = Transactions()
    assert transactions.group.add(1) == 10
    calls = transactions.share(2, 3, 4)
    assert [call.result() for call in calls] == [20, 30, 40]
    assert transactions.committed == [[1], [2, 3, 4]]


def test_a_request_fails_for_its_own_error_alone() -> None:
    transactions = Transactions()
    transactions.errors[3] = ValueError("three")
    first, wrong, last = transactions.share(2, 3, 4)
    assert (first.result(), last.result()) == (20, 40)
    with pytest.raises(ValueError, match="three"):
        wrong.result()
    assert transactions.committed == [[2], [4]]


def test_a_shutdown_leaves_no_caller_waiting() -> None:
    transactions = Transactions()
    transactions.errors[3] = KeyboardInterrupt()
    calls = transactions.share(2, 3)
    assert [type(call.exception()) for call in calls] == [KeyboardInterrupt] * 2
    assert transactions.committed == []
