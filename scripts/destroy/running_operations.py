"""Operations under way in the stack's datasets: found, cancelled, waited for."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from googleapiclient.errors import HttpError

from scripts.common import operations, retrying
from scripts.common.errors import as_script_error, translated
from scripts.common.operations import Operation

WAIT_SECONDS = 600.0
"""How long cancelled operations may take to end, unless the command line says otherwise."""

_GONE = 404


def running(client: Any, datasets: Iterable[str]) -> list[Operation]:
    """List what is under way in datasets, by their full names; in one that is gone, nothing is.

    Raises:
        ScriptError: the service can't tell.
    """
    return [each for dataset in datasets for each in _listed(client, dataset) if not each.done]


def _listed(client: Any, dataset: str) -> Iterator[Operation]:
    collection = client.projects().locations().datasets().operations()
    request = collection.list(name=dataset)
    while request is not None:
        with translated(f"listing the operations of {dataset}"):
            try:
                answer = retrying.call(request.execute)
            except HttpError as error:
                if error.status_code == _GONE:
                    return
                raise
        yield from map(Operation.from_json, answer.get("operations", []))
        request = collection.list_next(request, answer)


def stop(
    client: Any,
    datasets: list[str],
    *,
    resume: str,
    say: Callable[[str], None],
    timeout: float = WAIT_SECONDS,
) -> list[str]:
    """Cancel what is under way, and wait until it is over; again if more was begun meanwhile.

    What can't be cancelled is waited for.

    Args:
        client: of the Healthcare API.
        datasets: their full names.
        resume: the command that takes this up again, for a person to paste.
        say: told of each operation.
        timeout: seconds until all of it has to be over.

    Returns:
        The names of the operations that were under way.

    Raises:
        StillRunningError: time is up, or Ctrl-C was pressed.
        ScriptError: the service can't tell.
    """
    until = time.monotonic() + timeout
    met: list[str] = []
    while found := running(client, datasets):
        new = [each for each in found if each.name not in met]
        for each in new:
            say(f"Cancelling {_described(each)} ...")
            _cancel(client, each, say)
        met += [each.name for each in new]
        for each in found:
            left = max(0.0, until - time.monotonic())
            operations.follow(client, each.name, resume=resume, timeout=left)
    return met


def _cancel(client: Any, operation: Operation, say: Callable[[str], None]) -> None:
    collection = client.projects().locations().datasets().operations()
    request = collection.cancel(name=operation.name, body={})
    try:
        retrying.call(request.execute)
    except HttpError as error:
        # Over by now, or of a kind that can't be cancelled: its end is waited for all the same.
        refusal = as_script_error(f"cancelling {operation.name}", error)
        say(f"{refusal.message if refusal else error} Waiting for its end.")


def _described(operation: Operation) -> str:
    method = operation.method.rpartition(".")[2]
    return f"{operation.name} ({method})" if method else operation.name
