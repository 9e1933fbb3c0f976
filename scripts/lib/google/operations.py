"""Long-running operations of the Healthcare API, followed by their name.

The service runs the operation. Its name is enough to follow it, so another script can continue
after one that was stopped.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api_core.retry import exponential_sleep_generator

from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import service_error, translate_errors

# From short, for a lab of seconds, to the interval that Google advises for imports of hours. Each
# is at most about a tenth of the time that has passed.
INITIAL_POLL_SECONDS = 0.05
MAX_POLL_SECONDS = 10.0
POLL_GROWTH = 1.05
# The service may be unavailable for this long between two polls (a restart, a network change).
ABSENCE_SECONDS = 120.0

_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/operations/[^/]+")
# google.rpc.Code, for people: https://cloud.google.com/apis/design/errors
_CANCELLED = 1
_STATUS = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}


@dataclass(frozen=True)
class Operation:
    """The state of an operation and its counters (units: files or instances)."""

    name: str
    done: bool
    success: int = 0
    failure: int = 0
    pending: int = 0
    logs_url: str = ""
    method: str = ""
    error: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Operation":
        """Read google.longrunning.Operation; int64 counters come as strings, absent means 0."""
        metadata = body.get("metadata") or {}
        counter = metadata.get("counter") or {}
        return cls(
            name=body["name"],
            done=bool(body.get("done")),
            success=int(counter.get("success", 0)),
            failure=int(counter.get("failure", 0)),
            pending=int(counter.get("pending", 0)),
            logs_url=metadata.get("logsUrl", ""),
            method=metadata.get("apiMethodName", ""),
            error=body.get("error"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the part of a script's `--json` output that describes the operation."""
        return {
            "operation": self.name,
            "done": self.done,
            "success": self.success,
            "failure": self.failure,
            "pending": self.pending,
            "logs_url": self.logs_url,
        }


class OperationFailedError(ScriptError):
    """The error of an operation that failed, wholly or for some units."""

    def __init__(self, operation: Operation, doing: str) -> None:
        self.operation = operation
        error = operation.error or {}
        code = int(error.get("code", 2))
        text = error.get("message", "") or "no reason given"
        partly = operation.failure > 0
        if partly:
            total = operation.success + operation.failure + operation.pending
            message = (
                f"{doing[0].upper()}{doing[1:]}: {operation.failure} of {total} failed. {text}"
            )
            hint = f"The log: {operation.logs_url}" if operation.logs_url else ""
            exit_code = ExitCode.PARTLY_FAILED
        else:
            mapped = service_error(doing, code, _STATUS.get(code, "UNKNOWN"), text)
            message, hint, exit_code = mapped.message, mapped.hint, ExitCode.FAILED
        details = operation.to_json() | {"code": code, "status": _STATUS.get(code, "UNKNOWN")}
        super().__init__(message, hint, exit_code, details)


class StillRunningError(ScriptError):
    """The error of a script that stopped following; the operation is still running."""

    def __init__(self, operation: Operation, exit_code: ExitCode, why: str, resume: str) -> None:
        super().__init__(
            f"{why}; the operation is still running: {operation.name}",
            f"Follow it again: {resume}",
            exit_code,
            operation.to_json(),
        )


def check_name(name: str) -> str:
    """Validate the name of an operation before any call.

    Raises:
        UsageError: it is not of the form projects/P/locations/L/datasets/D/operations/ID
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid operation name.",
            "The form is projects/P/locations/L/datasets/D/operations/ID, as --no-wait prints it.",
        )
    return name


def get(client: Any, name: str, *, deadline: float = ABSENCE_SECONDS) -> Operation:
    """Read an operation; retry transient errors.

    Raises:
        ScriptError: there is no such operation, or no response within the deadline (seconds)
    """
    operations = clients.operations_of(client)
    with translate_errors(f"reading {name}"):
        body = retry.call(lambda: operations.get(name=name).execute(), deadline=deadline)
    return Operation.from_json(body)


def follow(
    client: Any,
    name: str,
    *,
    resume: str,
    timeout: float | None = None,
    report: Callable[[Operation], None] = lambda _: None,
) -> Operation:
    """Poll an operation until it is done, with backoff and jitter.

    Args:
        client: of the Healthcare API
        name: the operation's full name
        resume: the command that follows it again, for people to paste
        timeout: seconds to follow it; None follows it to its end.
        report: called with each response, the last one included

    Returns:
        The operation, done; the caller checks its `error` and counters.

    Raises:
        StillRunningError: it timed out (exit code 4), or Ctrl-C was pressed (130)
        ScriptError: the service does not answer
    """
    started_at = time.monotonic()
    last = Operation(name, done=False)
    delays = exponential_sleep_generator(INITIAL_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH)
    try:
        while True:
            left = None if timeout is None else timeout - (time.monotonic() - started_at)
            last = get(client, name, deadline=_deadline(left))
            report(last)
            if last.done:
                return last
            left = None if timeout is None else timeout - (time.monotonic() - started_at)
            if left is not None and left <= 0:
                why = f"Not done after {timeout:g} s"
                raise StillRunningError(last, ExitCode.STILL_RUNNING, why, resume)
            delay = next(delays)
            time.sleep(delay if left is None else min(delay, left))
    except KeyboardInterrupt:
        raise StillRunningError(last, ExitCode.INTERRUPTED, "Interrupted", resume) from None


def _deadline(left: float | None) -> float:
    return ABSENCE_SECONDS if left is None else max(0.1, min(ABSENCE_SECONDS, left))


def raise_if_failed(operation: Operation, doing: str) -> Operation:
    """Return an operation that succeeded.

    Raises:
        OperationFailedError: it ended with an error, was cancelled, or any unit failed
    """
    if operation.error is not None or operation.failure:
        raise OperationFailedError(operation, doing)
    return operation
