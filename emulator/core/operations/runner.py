"""Long-running operations in background threads; a restart resumes unfinished ones.

Inferred (conformance: import-started, operation-missing-text, operation-cancel-text): the first
response has the name alone; the texts of refusals.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from emulator.core import disk, timestamps
from emulator.core.backoff import delays
from emulator.core.database import Database
from emulator.core.errors import ApiError, failed_precondition, internal, not_found
from emulator.core.operations.operation_type import (
    INVALID_ARGUMENT,
    FailedItem,
    FailureListener,
    OperationType,
)
from emulator.core.operations.records import Records
from emulator.core.operations.resource import resource

LOG = logging.getLogger(__name__)

MAX_CONCURRENT = 5
"""Operations that run at the same time, as many as Google advises a client to start."""
INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.1, 5.0
"""Before a result that the disk refused is written again."""
POLL_INTERVAL_SECONDS = 0.05
"""Between two checks whether interrupted operations may resume."""


class OperationCancelledError(Exception):
    """Raised inside an operation after a request to cancel it."""


class _Run:
    """The `OperationRun` of an operation."""

    def __init__(
        self, operations: "Operations", name: str, method: str, request: dict[str, Any]
    ) -> None:
        self._operations = operations
        self._method = method
        self.name = name
        self.request = request

    def progress(self, *, success: int, failure: int, pending: int, secondary: int = 0) -> None:
        counters = {"success": success, "failure": failure, "pending": pending}
        self._operations.count(self.name, {**counters, "secondary_success": secondary})

    def check_cancelled(self) -> None:
        if self._operations.cancel_requested(self.name):
            raise OperationCancelledError(self.name)

    def log_failure(self, source: str, error: str, code: int = INVALID_ARGUMENT) -> None:
        self._operations.log_failure(
            FailedItem(self.name, self._method, self.request, source, error, code)
        )


@dataclass(frozen=True)
class _OperationResult:
    """The result of an operation: the fields of its response, or an error.

    Attributes:
        lenient: whether items that fail leave the operation a success
    """

    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    lenient: bool = False


class Operations:
    """The operations of all services, by the types that these register.

    Args:
        database: holds them
        logs_url: returns the `logsUrl` of an operation by its name
        on_failure: called for each item that fails
        on_end: called when an operation has ended, with its name and its google.rpc.Status, which
            is empty for a success
    """

    def __init__(
        self,
        database: Database,
        logs_url: Callable[[str], str],
        on_failure: FailureListener,
        on_end: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._folder = database.folder
        self._records = Records(database)
        self._logs_url = logs_url
        self._on_failure = on_failure
        self._on_end = on_end
        self._types: dict[str, OperationType] = {}
        self._pool = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="operation")
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._resuming: threading.Thread | None = None

    def register(self, type_: OperationType) -> None:
        """Register a type of operation, before operations of it are started or resumed."""
        self._types[type_.method] = type_

    def start(
        self, parent: str, method: str, request: dict[str, Any], *, version: str
    ) -> dict[str, Any]:
        """Record an operation and run it in the background.

        Returns:
            The first response: the name of the operation
        """
        self._type_of(method)
        name = self._records.add(parent, method, request, version=version)
        self._submit(name, method, request)
        return {"name": name}

    def get(self, name: str) -> dict[str, Any]:
        """Return an operation as the API represents it."""
        row = self._records.get(name)
        if row is None:
            raise not_found(f"operation {name} not found")
        return self._resource(row)

    def page(
        self, parent: str, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], dict[str, Any]]]:
        """Return operations of a dataset, the newest first; see `paging.Fetch`."""
        return [
            ([row["created"], row["number"]], self._resource(row))
            for row in self._records.page(parent, after, limit)
        ]

    def _resource(self, row: sqlite3.Row) -> dict[str, Any]:
        return resource(row, self._logs_url(row["name"]), self._type_of(row["method"]))

    def _type_of(self, method: str) -> OperationType:
        if method not in self._types:
            raise internal(f"no code is registered for {method}")
        return self._types[method]

    def cancel(self, name: str) -> None:
        """Cancel a running operation; it ends with code 1 at its next step."""
        if self.get(name).get("done"):
            raise failed_precondition(f"operation {name} is already done")
        self._update(name, cancel_requested=1)

    def failures(self, name: str) -> list[dict[str, str]]:
        """Return the log of an operation: the items that failed, with their errors."""
        return self._records.failures(name)

    def delete_for_parent(self, parent: str) -> None:
        """Delete the operations of a deleted dataset."""
        self._records.delete_for_parent(parent)

    def delete_orphans(self, part: str, exists: Callable[[str], bool]) -> None:
        """Delete the operations of resources whose deletion a crash interrupted.

        Args:
            part: a part of the names of these resources, such as `/datasets/`
            exists: whether such a resource exists
        """
        for parent in self._records.parents():
            if part in parent and not exists(parent):
                self.delete_for_parent(parent)

    def resume_interrupted(self, may_begin: Callable[[], object] = lambda: True) -> None:
        """Resume the operations that an earlier process left unfinished.

        Args:
            may_begin: whether the services that operations call are ready; polled until it is true
        """
        if may_begin():
            self._resume()
        else:
            self._resuming = threading.Thread(target=self._resume_once, args=(may_begin,))
            self._resuming.start()

    def _resume_once(self, may_begin: Callable[[], object]) -> None:
        while not may_begin():
            if self._stopping.wait(POLL_INTERVAL_SECONDS):
                return
        self._resume()

    def _resume(self) -> None:
        for row in self._records.unfinished():
            self._submit(row["name"], row["method"], json.loads(row["request"]))

    def wait(self, name: str, seconds: float) -> dict[str, Any]:
        """Wait until an operation is done; for tests and for calls that answer synchronously."""
        with self._changed:
            self._changed.wait_for(lambda: self.get(name).get("done"), timeout=seconds)
        return self.get(name)

    def close(self) -> None:
        """Stop to start operations; the next process resumes unfinished ones."""
        self._stopping.set()
        if self._resuming:
            self._resuming.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # For OperationRun

    def count(self, name: str, counters: Mapping[str, int]) -> None:
        """Write an operation's counters."""
        self._update(name, durable=False, counted=1, **counters)

    def cancel_requested(self, name: str) -> bool:
        """Whether a call cancelled the operation.

        Raises:
            _InterruptedError: the process stops
        """
        if self._stopping.is_set():
            raise _InterruptedError(name)
        row = self._records.get(name)
        return row is None or bool(row["cancel_requested"])

    def log_failure(self, item: FailedItem) -> None:
        """Log the failure of an operation's item."""
        self._records.log_failure(item, self._on_failure)

    def _submit(self, name: str, method: str, request: dict[str, Any]) -> None:
        self._pool.submit(self._run, name, method, request)

    def _run(self, name: str, method: str, request: dict[str, Any]) -> None:
        type_ = self._types[method]
        try:
            response = type_.run(_Run(self, name, method, request))
        except _InterruptedError:
            return
        except OperationCancelledError:
            result = _OperationResult(error={"code": 1, "message": "The operation was cancelled."})
        except ApiError as error:
            result = _OperationResult(error=error.rpc_status())
        except Exception as error:
            LOG.exception("operation %s failed", name)
            answer = disk.disk_error(error, self._folder)
            answer = answer or internal("Internal error; see the server's log")
            result = _OperationResult(error=answer.rpc_status())
        else:
            result = _OperationResult(response, lenient=type_.lenient)
        self._finish(name, result)

    def _finish(self, name: str, result: _OperationResult) -> None:
        """Write the result of an operation; retry while the disk refuses."""
        for delay in delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS):
            try:
                self._write_result(name, result)
            except sqlite3.OperationalError as error:
                LOG.warning("could not write the result of operation %s; retrying: %s", name, error)
                if self._stopping.wait(delay):
                    return
            else:
                return

    def _write_result(self, name: str, result: _OperationResult) -> None:
        failed, response, error = self._failed(name), result.response, result.error
        if error is None and failed and not result.lenient:
            error = {"code": 2, "message": f"{failed} of the items failed; see logsUrl for each."}
            response = None
        self._update(
            name,
            ended=timestamps.now(),
            pending=0,
            response=None if response is None else json.dumps(response),
            error=None if error is None else json.dumps(error),
        )
        self._on_end(name, error or {})

    def _failed(self, name: str) -> int:
        row = self._records.get(name)
        return 0 if row is None else int(row["failure"])

    def _update(self, name: str, *, durable: bool = True, **values: Any) -> None:
        self._records.update(name, durable=durable, **values)
        with self._changed:
            self._changed.notify_all()


class _InterruptedError(Exception):
    """The process stops; the next one resumes the operation."""
