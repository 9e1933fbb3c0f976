"""Long-running operations of the Healthcare API, followed by their name.

An operation lives in the service: whoever knows its name can follow it, so a script that was
stopped is taken up again by another that is given the name.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api_core.retry import exponential_sleep_generator

from scripts.common import retrying
from scripts.common.errors import ExitCode, ScriptError, UsageError, service_error, translated

# From quick, for a lab of seconds, to the interval that Google advises for imports of hours. They
# grow so that none is longer than about a tenth of the time that has gone by.
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 10.0
POLL_GROWTH = 1.05
# Between two polls the service may be away (a restart, a network change) for this long.
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
    """One look at an operation: its state and its counters (units: files or instances)."""

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
        """Give the part of a script's `--json` answer that tells of the operation."""
        return {
            "operation": self.name,
            "done": self.done,
            "success": self.success,
            "failure": self.failure,
            "pending": self.pending,
            "logs_url": self.logs_url,
        }


class OperationFailedError(ScriptError):
    """An operation ended with an error, or with units that failed."""

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
            cure = f"The log: {operation.logs_url}" if operation.logs_url else ""
            exit_code = ExitCode.PARTLY_FAILED
        else:
            mapped = service_error(doing, code, _STATUS.get(code, "UNKNOWN"), text)
            message, cure, exit_code = mapped.message, mapped.cure, ExitCode.FAILED
        details = operation.to_json() | {"code": code, "status": _STATUS.get(code, "UNKNOWN")}
        super().__init__(message, cure, exit_code, details)


class StillRunningError(ScriptError):
    """The time is up, or the user went away; the operation itself goes on."""

    def __init__(self, operation: Operation, exit_code: ExitCode, why: str, resume: str) -> None:
        super().__init__(
            f"{why}; the operation goes on without us: {operation.name}",
            f"Take it up again: {resume}",
            exit_code,
            operation.to_json(),
        )


def check_name(name: str) -> str:
    """Refuse what can't be the name of an operation before anything is asked.

    Raises:
        UsageError: not of the form projects/P/locations/L/datasets/D/operations/ID.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not the name of an operation.",
            "It reads projects/P/locations/L/datasets/D/operations/ID, as --no-wait printed it.",
        )
    return name


def get(client: Any, name: str, *, deadline: float = ABSENCE_SECONDS) -> Operation:
    """Look once, with patience for passing errors.

    Raises:
        ScriptError: there is no such operation, or no answer before the deadline (seconds).
    """
    operations = client.projects().locations().datasets().operations()
    with translated(f"asking for {name}"):
        body = retrying.call(lambda: operations.get(name=name).execute(), deadline=deadline)
    return Operation.from_json(body)


def follow(
    client: Any,
    name: str,
    *,
    resume: str,
    timeout: float | None = None,
    report: Callable[[Operation], None] = lambda _: None,
) -> Operation:
    """Ask for an operation until it is done, with backoff and jitter.

    Args:
        client: of the Healthcare API.
        name: the operation's full name.
        resume: the command that takes up following, for a person to paste.
        timeout: seconds after which to give up following; None follows to the end.
        report: told every look, the last one too.

    Returns:
        The operation, done; its `error` and counters are the caller's to judge.

    Raises:
        StillRunningError: time was up (exit code 4) or Ctrl-C was pressed (130).
        ScriptError: the service can't say.
    """
    began = time.monotonic()
    last = Operation(name, done=False)
    pauses = exponential_sleep_generator(FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS, POLL_GROWTH)
    try:
        while True:
            left = None if timeout is None else timeout - (time.monotonic() - began)
            last = get(client, name, deadline=_patience(left))
            report(last)
            if last.done:
                return last
            left = None if timeout is None else timeout - (time.monotonic() - began)
            if left is not None and left <= 0:
                why = f"Not done after {timeout:g} s"
                raise StillRunningError(last, ExitCode.STILL_RUNNING, why, resume)
            pause = next(pauses)
            time.sleep(pause if left is None else min(pause, left))
    except KeyboardInterrupt:
        raise StillRunningError(last, ExitCode.INTERRUPTED, "Interrupted", resume) from None


def _patience(left: float | None) -> float:
    return ABSENCE_SECONDS if left is None else max(0.1, min(ABSENCE_SECONDS, left))


def finished(operation: Operation, doing: str) -> Operation:
    """Give back an operation that went well.

    Raises:
        OperationFailedError: it ended with an error, was cancelled, or any unit failed.
    """
    if operation.error is not None or operation.failure:
        raise OperationFailedError(operation, doing)
    return operation
