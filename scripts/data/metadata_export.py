"""Export of a DICOM store's metadata to a BigQuery table."""

import time
from typing import Any

from scripts.data.write_disposition import WriteDisposition
from scripts.lib import stack
from scripts.lib.cli import Output, command_line
from scripts.lib.errors import UsageError
from scripts.lib.follow_operation import OperationLabels, finish
from scripts.lib.google import bigquery, clients, operations
from scripts.lib.google.bigquery import Table
from scripts.lib.google.operations import OperationFailedError
from scripts.lib.google.start_operation import OperationStart, Report, StartedOperation
from scripts.lib.options import Choice, Following
from scripts.lib.stack import Target
from scripts.lib.wording import plural

SCRIPT = "export_metadata.py"


def run(
    choice: Choice,
    table_uri: str | None,
    disposition: WriteDisposition,
    following: Following,
    output: Output,
) -> None:
    """Export metadata, or follow an export that runs already.

    Args:
        choice: the store
        table_uri: the table; None for the stack's
        disposition: of the rows that are in the table
        following: how to follow the operation
        output: where to report

    Raises:
        ScriptError: the service refuses, or the export failed
    """
    started_at = time.monotonic()
    if following.resume:
        operations.check_name(following.resume)
    target = stack.resolve(choice, output.report)
    table = table_of(target, table_uri)
    client = clients.healthcare()
    if following.resume:
        started = StartedOperation(following.resume)
    else:
        started = start(client, target.store, table, disposition, output.report)
        output.report(f"Exporting {target.store} to {table.uri}")
    described = labels(choice, table, started.name)
    try:
        operation = finish(client, started.name, described, following, output)
    except OperationFailedError as error:
        started.explain_rows(error)
        raise
    rows = None
    if not following.no_wait:
        rows = bigquery.row_count(clients.big_query(target.project, target.location), table)
        output.result(f"{table.uri} has {plural(rows, 'row')}.")
    facts = {"store": target.store, "table": table.uri, "rows": rows}
    seconds = round(time.monotonic() - started_at, 2)
    output.json(operation.to_json() | facts | {"seconds": seconds})


def start(
    client: Any,
    store: str,
    table: Table,
    disposition: WriteDisposition,
    report: Report = lambda _: None,
) -> StartedOperation:
    """Start an export.

    Args:
        client: of the Healthcare API
        store: the DICOM store's full name
        table: of the store's own project (the API exports to no other)
        disposition: of the rows that are there
        report: called if the answer was lost

    Raises:
        ScriptError: the service refuses
    """
    stores = client.projects().locations().datasets().dicomStores()
    destination = {"tableUri": table.uri, "writeDisposition": disposition.api_name}
    request = {"bigqueryDestination": destination}
    send = stores.export(name=store, body=request).execute
    # Appending twice would double the rows; the second to write to an empty table is refused.
    repeatable = disposition is not WriteDisposition.APPEND
    start_of_export = OperationStart(
        client, store, "Export", send, report=report, repeatable=repeatable
    )
    return start_of_export.begin_as(f"exporting {store} to {table.uri}")


def labels(choice: Choice, table: Table, name: str) -> OperationLabels:
    """Describe an export for progress and errors."""
    resume = [*choice.flags, "--table", table.uri, "--resume", name]
    return OperationLabels("Exporting", f"exporting to {table.uri}", command_line(SCRIPT, resume))


def table_of(target: Target, uri: str | None) -> Table:
    """Return the table: the option, or else the stack's output.

    Raises:
        UsageError: there is neither
    """
    chosen = uri or target.table_uri
    if not chosen:
        raise UsageError("No table is named.", "Add --table bq://PROJECT.DATASET.TABLE.")
    return Table.from_uri(chosen)
