"""Following of an import or export, with its progress."""

from dataclasses import dataclass
from typing import Any

from scripts.lib import progress
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import operation_errors, operations
from scripts.lib.google.operations import Operation, OperationFailedError
from scripts.lib.options import Following


@dataclass(frozen=True)
class OperationLabels:
    """The words for an operation.

    Attributes:
        label: for the progress bar ("Importing")
        doing: for errors ("importing into projects/...")
        resume: the command that follows it again
    """

    label: str
    doing: str
    resume: str


def follow_operation(
    client: Any, name: str, labels: OperationLabels, *, output: Output, timeout: float | None = None
) -> Operation:
    """Follow an operation to its end, and raise its error.

    Raises:
        OperationFailedError: it failed, wholly or for some files; the first ones have been printed
        StillRunningError: it timed out, or Ctrl-C was pressed; the text says how to resume
    """
    with progress.show_progress(labels.label, silent=output.as_json, console=output.err) as shown:
        operation = operations.follow(
            client, name, resume=labels.resume, timeout=timeout, report=shown.update
        )
    try:
        return operations.raise_if_failed(operation, labels.doing)
    except OperationFailedError as error:
        _report_failures(error, output)
        raise


def finish(
    client: Any, name: str, labels: OperationLabels, following: Following, output: Output
) -> Operation:
    """Follow an operation; with --no-wait, print its name and leave it running.

    Raises:
        ScriptError: see `follow_operation`
    """
    if not following.no_wait:
        return follow_operation(client, name, labels, output=output, timeout=following.timeout)
    operation = operations.get(client, name)
    output.result(name)
    return operation


def _report_failures(error: OperationFailedError, output: Output) -> None:
    error.details["failures"] = []
    if not error.operation.failure:
        return
    try:
        found = operation_errors.read(error.operation)
    except ScriptError as refused:  # what failed is worth more than why it can't be listed
        output.report(f"  {refused.message}. Your account needs roles/logging.viewer to read them.")
        return
    error.details["failures"] = [failure.to_json() for failure in found]
    for failure in found[: operation_errors.SHOWN]:
        output.report(f"  {failure.source}: {failure.error}")
    if (rest := error.operation.failure - operation_errors.SHOWN) > 0 and found:
        output.report(f"  ... and {rest} more; --json lists all that Cloud Logging has")
    if not found:
        output.report("  Cloud Logging has no entry of them yet.")
