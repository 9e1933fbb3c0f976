"""Running operations in the stack's datasets: find, cancel, and wait for them."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from googleapiclient.errors import HttpError

from scripts.destroy.request import WAIT_SECONDS
from scripts.lib.google import clients, operations, paging, retry
from scripts.lib.google.errors import as_script_error
from scripts.lib.google.operations import Operation


def running(client: Any, datasets: Iterable[str]) -> list[Operation]:
    """List the running operations of datasets; a missing dataset has none.

    Raises:
        ScriptError: the service does not answer
    """
    return [each for dataset in datasets for each in _listed(client, dataset) if not each.done]


def _listed(client: Any, dataset: str) -> Iterator[Operation]:
    collection = clients.operations_of(client)
    doing = f"listing the operations of {dataset}"
    return map(Operation.from_json, paging.items(collection, "operations", doing, name=dataset))


def stop(
    client: Any,
    datasets: list[str],
    *,
    resume: str,
    report: Callable[[str], None],
    timeout: float = WAIT_SECONDS,
) -> list[str]:
    """Cancel running operations and wait until all have ended, new ones included.

    Operations that can't be cancelled are waited for.

    Args:
        client: of the Healthcare API
        datasets: their full names
        resume: the command that continues, for people to paste
        report: called with each operation
        timeout: seconds to wait for all of them

    Returns:
        The names of the operations.

    Raises:
        StillRunningError: it timed out, or Ctrl-C was pressed
        ScriptError: the service does not answer
    """
    until = time.monotonic() + timeout
    met: list[str] = []
    while found := running(client, datasets):
        new = [each for each in found if each.name not in met]
        for each in new:
            report(f"Cancelling {_described(each)} ...")
            _cancel(client, each, report)
        met += [each.name for each in new]
        for each in found:
            left = max(0.0, until - time.monotonic())
            operations.follow(client, each.name, resume=resume, timeout=left)
    return met


def _cancel(client: Any, operation: Operation, report: Callable[[str], None]) -> None:
    collection = clients.operations_of(client)
    request = collection.cancel(name=operation.name, body={})
    try:
        retry.call(request.execute)
    except HttpError as error:
        # It has ended, or can't be cancelled: wait for its end.
        refusal = as_script_error(f"cancelling {operation.name}", error)
        report(f"{refusal.message if refusal else error} Waiting for its end.")


def _described(operation: Operation) -> str:
    method = operation.method.rpartition(".")[2]
    return f"{operation.name} ({method})" if method else operation.name
