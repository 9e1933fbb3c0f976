"""Operations run in background threads, and are taken up again after a restart."""

import json
import logging
import random
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from emulator import disk
from emulator.database import Database
from emulator.errors import ApiError, failed_precondition, internal, not_found
from emulator.operations.records import Records, now
from emulator.operations.resources import resource

LOG = logging.getLogger(__name__)

AT_ONCE = 5
"""Operations that run at the same time, as many as Google advises a client to start."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Before an end that the disk did not take is written again."""
LOOK_EVERY = 0.05
"""Seconds between two questions whether interrupted operations may go on."""


class OperationCancelledError(Exception):
    """Raised inside an operation once somebody asked to cancel it."""


class OperationRun:
    """What the code of a running operation gets.

    Attributes:
        name: The full name of the operation.
        request: The request that started it, as given to `Operations.start`.
    """

    def __init__(self, operations: "Operations", name: str, request: dict[str, Any]) -> None:
        self._operations = operations
        self.name = name
        self.request = request

    def progress(self, *, success: int, failure: int, pending: int) -> None:
        """Report the counters so far."""
        self._operations.count(self.name, success, failure, pending)

    def check_cancelled(self) -> None:
        """Raise `OperationCancelledError` if somebody asked to cancel."""
        if self._operations.cancel_requested(self.name):
            raise OperationCancelledError(self.name)

    def log_failure(self, source: str, error: str) -> None:
        """Add an entry to the log behind `logsUrl`; the same source counts once."""
        self._operations.log_failure(self.name, source, error)


Run = Callable[[OperationRun], dict[str, Any]]


class Operations:
    """The operations of all datasets.

    A run function may be interrupted at any point and run again with the same request, so it is
    idempotent. Its answer becomes the operation's `response`.
    """

    def __init__(self, database: Database, logs_url: Callable[[str], str]) -> None:
        self._folder = database.folder
        self._records = Records(database)
        self._logs_url = logs_url
        self._runs: dict[str, Run] = {}
        self._lenient: set[str] = set()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="operation")
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._resuming: threading.Thread | None = None

    def register(self, method: str, run: Run, *, lenient: bool = False) -> None:
        """Say what runs for a method such as `dicom.DicomService.ImportDicomData`.

        Args:
            method: its name without package and version.
            run: does the work.
            lenient: whether items that fail leave the operation a success.
        """
        self._runs[method] = run
        if lenient:
            self._lenient.add(method)

    def start(
        self, parent: str, method: str, request: dict[str, Any], *, version: str
    ) -> dict[str, Any]:
        """Record an operation and run it in the background.

        Returns:
            The operation's first answer: its name alone.
        """
        if method not in self._runs:
            raise internal(f"no code is registered for {method}")
        name = self._records.add(parent, method, request, version=version)
        self._submit(name, method, request)
        return {"name": name}

    def get(self, name: str) -> dict[str, Any]:
        """The operation as the API answers it."""
        row = self._records.get(name)
        if row is None:
            raise not_found(f"operation {name} not found")
        return resource(row, self._logs_url(name))

    def of_dataset(self, parent: str) -> list[dict[str, Any]]:
        """Every operation of a dataset, the newest first."""
        rows = self._records.of_parent(parent)
        return [resource(row, self._logs_url(row["name"])) for row in rows]

    def cancel(self, name: str) -> None:
        """Ask a running operation to end; it ends with code 1 at its next step."""
        if self.get(name).get("done"):
            raise failed_precondition(f"operation {name} is already done")
        self._update(name, cancel_requested=1)

    def failures(self, name: str) -> list[dict[str, str]]:
        """The log of an operation: what failed, and why."""
        return self._records.failures(name)

    def forget(self, parent: str) -> None:
        """Drop the operations of a dataset that is deleted."""
        self._records.forget(parent)

    def sweep(self, exists: Callable[[str], bool]) -> None:
        """Drop the operations of datasets that a crash in mid-deletion left without one."""
        for parent in self._records.parents():
            if not exists(parent):
                self.forget(parent)

    def resume_interrupted(self, may_begin: Callable[[], object] = lambda: True) -> None:
        """Run again what an earlier process left unfinished.

        Args:
            may_begin: Asked until it says yes: the services that operations call take a while.
        """
        if may_begin():
            self._resume()
        else:
            self._resuming = threading.Thread(target=self._resume_once, args=(may_begin,))
            self._resuming.start()

    def _resume_once(self, may_begin: Callable[[], object]) -> None:
        while not may_begin():
            if self._stopping.wait(LOOK_EVERY):
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
        """Let no further operation begin; unfinished ones go on after the next start."""
        self._stopping.set()
        if self._resuming:
            self._resuming.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # What follows is for OperationRun.

    def count(self, name: str, success: int, failure: int, pending: int) -> None:
        """Write an operation's counters."""
        counters = {"success": success, "failure": failure, "pending": pending}
        self._update(name, durable=False, counted=1, **counters)

    def cancel_requested(self, name: str) -> bool:
        """Whether the operation is to end, by a call or as the process stops."""
        if self._stopping.is_set():
            raise _InterruptedError(name)
        row = self._records.get(name)
        return row is None or bool(row["cancel_requested"])

    def log_failure(self, name: str, source: str, error: str) -> None:
        """Add an entry to an operation's log."""
        self._records.log_failure(name, source, error)

    def _submit(self, name: str, method: str, request: dict[str, Any]) -> None:
        self._pool.submit(self._run, name, method, request)

    def _run(self, name: str, method: str, request: dict[str, Any]) -> None:
        try:
            response = self._runs[method](OperationRun(self, name, request))
        except _InterruptedError:
            return
        except OperationCancelledError:
            self._finish(name, error={"code": 1, "message": "The operation was cancelled."})
        except ApiError as error:
            self._finish(name, error=error.rpc_status())
        except Exception as error:
            LOG.exception("operation %s failed", name)
            answer = disk.refusal(error, self._folder)
            answer = answer or internal("Internal error; see the server's log")
            self._finish(name, error=answer.rpc_status())
        else:
            self._finish(name, response, lenient=method in self._lenient)

    def _finish(
        self,
        name: str,
        response: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        """Write down an operation's end, as soon as the disk takes it: or it would never end."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._write_end(name, response, error, lenient=lenient)
            except sqlite3.OperationalError as trouble:
                LOG.warning("the end of operation %s can't be written yet: %s", name, trouble)
                if self._stopping.wait(pause * random.uniform(0.5, 1.5)):  # noqa: S311 - jitter
                    return
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                return

    def _write_end(
        self,
        name: str,
        response: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        failed = self._failed(name)
        if error is None and failed and not lenient:
            error = {"code": 2, "message": f"{failed} of the items failed; see logsUrl for each."}
            response = None
        self._update(
            name,
            ended=now(),
            pending=0,
            response=None if response is None else json.dumps(response),
            error=None if error is None else json.dumps(error),
        )

    def _failed(self, name: str) -> int:
        row = self._records.get(name)
        return 0 if row is None else int(row["failure"])

    def _update(self, name: str, *, durable: bool = True, **values: Any) -> None:
        self._records.update(name, durable=durable, **values)
        with self._changed:
            self._changed.notify_all()


class _InterruptedError(Exception):
    """The process stops: the operation goes on after the next start."""
