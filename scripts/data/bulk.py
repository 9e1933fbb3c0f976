"""Imports and exports of whole stores, each by one operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.data import stores
from scripts.data.stores import StoreType
from scripts.lib.cli import Output, command_line
from scripts.lib.follow_operation import OperationLabels, finish
from scripts.lib.google import clients, operations
from scripts.lib.google.operations import Operation, OperationFailedError
from scripts.lib.google.start_operation import OperationStart, Report, StartedOperation
from scripts.lib.options import Choice, Following
from scripts.lib.wording import plural


@dataclass(frozen=True)
class Work:
    """An import or an export.

    Attributes:
        script: the name of the script
        label: for the progress bar
        method: a word of the method's name, `Import` or `Export`
        body: of the request
        location: the URI of the files or tables
        type_: of the store
        repeatable: the request may be sent again though the first one may have been executed
    """

    script: str
    label: str
    method: str
    body: Mapping[str, Any]
    location: str
    type_: StoreType
    repeatable: bool = True


def import_work(script: str, type_: StoreType, uri: str, body: Mapping[str, Any]) -> Work:
    """Return an import, which may run twice: it overwrites items by the same ones.

    Args:
        script: the name of the script
        type_: of the store
        uri: of the files; may have wildcards
        body: of the request, without the source
    """
    return Work(script, "Importing", "Import", {"gcsSource": {"uri": uri}, **body}, uri, type_)


def export_work(script: str, type_: StoreType, uri: str, body: Mapping[str, Any]) -> Work:
    """Return an export into a folder of Cloud Storage, which overwrites objects by the same ones.

    Args:
        script: the name of the script
        type_: of the store
        uri: of the folder
        body: of the request, without the destination
    """
    whole = {"gcsDestination": {"uriPrefix": uri}, **body}
    return Work(script, "Exporting", "Export", whole, uri, type_)


def run(work: Work, choice: Choice, following: Following, output: Output) -> None:
    """Start an operation, or follow one that runs already.

    Raises:
        ScriptError: the service refuses, or some items failed
    """
    if following.resume:
        operations.check_name(following.resume)
    store = stores.resolve(work.type_, choice, output)
    operation = run_on(store, work, choice, following, output)
    output.json(operation.to_json() | {"store": store, "location": work.location, "failures": []})


def run_on(
    store: str, work: Work, choice: Choice, following: Following, output: Output
) -> Operation:
    """Run or follow an operation on a store, and say for people how it ended.

    Args:
        store: the full name of the store
        work: an import or an export
        choice: the options that name the store, for the advice after an interrupt
        following: how to follow
        output: for progress

    Raises:
        ScriptError: the service refuses, or some items failed
    """
    client = clients.healthcare()
    if following.resume:
        started = StartedOperation(following.resume)
    else:
        started = _start(client, store, work, output.report)
        output.report(f"{work.label}: {work.location}, {store}")
    flags = [work.location, *choice.flags, "--resume", started.name]
    doing = f"{work.label.lower()} {work.type_.item}s of {store}"
    labels = OperationLabels(work.label, doing, command_line(work.script, flags))
    try:
        operation = finish(client, started.name, labels, following, output)
    except OperationFailedError as error:
        started.explain_rows(error)
        raise
    if not following.no_wait:
        output.result(f"{plural(operation.success, work.type_.item)}, none failed.")
    return operation


def _start(client: Any, store: str, work: Work, report: Report) -> StartedOperation:
    datasets = client.projects().locations().datasets()
    collection = getattr(datasets, work.type_.collection)()
    call = collection.import_ if work.method == "Import" else collection.export
    send = call(name=store, body=dict(work.body)).execute
    start = OperationStart(
        client, store, work.method, send, report=report, repeatable=work.repeatable
    )
    return start.begin_as(f"{work.label.lower()} {work.location}")
