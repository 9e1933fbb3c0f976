"""An operation from its name to its end, shown on the way: what import and export share."""

from dataclasses import dataclass
from typing import Any

from scripts.common import failures, operations, progress
from scripts.common.cli import Output
from scripts.common.operations import Operation, OperationFailedError


@dataclass(frozen=True)
class Work:
    """What an operation does, in words.

    Attributes:
        label: for the progress bar ("Importing").
        doing: for errors ("importing into projects/...").
        resume: the command that follows it again.
    """

    label: str
    doing: str
    resume: str


def carry_through(
    client: Any, name: str, work: Work, *, output: Output, timeout: float | None = None
) -> Operation:
    """Follow an operation to its end and judge it.

    Raises:
        OperationFailedError: it failed, wholly or for some files; the first ones have been shown.
        StillRunningError: time was up, or Ctrl-C; the text says how to resume.
    """
    with progress.shown(work.label, silent=output.as_json, console=output.err) as shown:
        operation = operations.follow(
            client, name, resume=work.resume, timeout=timeout, report=shown.update
        )
    try:
        return operations.finished(operation, work.doing)
    except OperationFailedError as error:
        _tell_failures(error, output)
        raise


def _tell_failures(error: OperationFailedError, output: Output) -> None:
    found = failures.read(error.operation.logs_url)
    error.details["failures"] = [failure.to_json() for failure in found]
    for failure in found[: failures.SHOWN]:
        output.say(f"  {failure.source}: {failure.error}")
    if len(found) > failures.SHOWN:
        output.say(f"  ... and {len(found) - failures.SHOWN} more")
