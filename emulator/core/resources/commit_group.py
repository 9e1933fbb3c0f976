"""Group commit: concurrent callers share one transaction, and its fsync."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[RequestT, ResultT]):
    """A request; `result` is set once, after the transaction has ended."""

    request: RequestT
    result: Future[ResultT] = field(default_factory=Future)


class CommitGroup(Generic[RequestT, ResultT]):
    """Commits requests together that arrive while another transaction is being committed.

    Args:
        lock: held while requests are committed
        commit: commits requests in one transaction, all or none, changes no request, and returns
            the result of each
    """

    def __init__(
        self, lock: threading.Lock, commit: Callable[[Sequence[RequestT]], list[ResultT]]
    ) -> None:
        self._lock, self._commit = lock, commit
        self._waiting: deque[_Waiting[RequestT, ResultT]] = deque()

    def add(self, request: RequestT) -> ResultT:
        """Commit a request, alone or with others; it fails for its own errors only."""
        waiting = _Waiting[RequestT, ResultT](request)
        self._waiting.append(waiting)
        with self._lock:
            if not waiting.result.done():
                self._commit_waiting()
        return waiting.result.result()

    def _commit_waiting(self) -> None:
        """Commit all waiting requests; the caller that holds the lock does it for the others."""
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            results = self._commit([each.request for each in group])
        except Exception:  # noqa: BLE001 - whatever it was: each request gets its own error
            for each in group:
                self._commit_alone(each)
        except BaseException as error:  # noqa: BLE001 - each caller raises it
            # A shutdown: no caller may wait for ever, or believe that its request is committed.
            for each in group:
                each.result.set_exception(error)
        else:
            for each, result in zip(group, results, strict=True):
                each.result.set_result(result)

    def _commit_alone(self, waiting: _Waiting[RequestT, ResultT]) -> None:
        try:
            [result] = self._commit([waiting.request])
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            waiting.result.set_exception(error)
        else:
            waiting.result.set_result(result)
