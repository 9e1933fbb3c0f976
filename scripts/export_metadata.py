"""Export the metadata of a DICOM store to a BigQuery table, and wait until it is done."""

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from scripts.common import cli, clients, operations, retrying, stack, tables
from scripts.common.beginnings import Beginning, Begun, Say
from scripts.common.cli import Output, command_line
from scripts.common.errors import ScriptError, UsageError, translated
from scripts.common.operations import OperationFailedError
from scripts.common.stack import Choice, Target
from scripts.common.tables import Table
from scripts.common.work import Work, carry_through

SCRIPT = "export_metadata.py"
HELP = f"""Export the metadata of a DICOM store to a BigQuery table, one row an instance.

By default the table must be empty or not exist yet, as with the API itself; say
[bold]--write-disposition truncate[/bold] to replace its rows, [bold]append[/bold] to add to them.

[bold]Examples[/bold]

  export_metadata.py                                  to the table that the stack names

  export_metadata.py --write-disposition truncate     again, replacing the rows

  export_metadata.py --stack dev --store dicomstore2 --table bq://my-project.dataset1.second

{cli.EXIT_CODES}"""

app = cli.application()


class WriteDisposition(StrEnum):
    """What happens to rows that are in the table already."""

    EMPTY = "empty"
    TRUNCATE = "truncate"
    APPEND = "append"

    @property
    def api_name(self) -> str:
        """As the Healthcare API spells it."""
        return f"WRITE_{self.name}"


def start(
    client: Any,
    store: str,
    table: Table,
    disposition: WriteDisposition,
    say: Say = lambda _: None,
) -> Begun:
    """Start an export.

    Args:
        client: of the Healthcare API.
        store: the DICOM store's full name.
        table: of the store's own project (the API exports to no other).
        disposition: of the rows that are there.
        say: told where the answer was lost.

    Raises:
        ScriptError: the service refuses.
    """
    stores = client.projects().locations().datasets().dicomStores()
    destination = {"tableUri": table.uri, "writeDisposition": disposition.api_name}
    request = {"bigqueryDestination": destination}
    send = stores.export(name=store, body=request).execute
    # Appending twice would double the rows; the second to write to an empty table is refused.
    repeatable = disposition is not WriteDisposition.APPEND
    try:
        with translated(f"exporting {store} to {table.uri}"):
            return Beginning(client, store, "Export", send, say=say, repeatable=repeatable).begin()
    except ScriptError as error:
        if not repeatable and retrying.is_doubtful(error.__cause__):
            error.cure = _look_first(store)
        raise


def _look_first(store: str) -> str:
    _, project, _, location, _, dataset, *_ = store.split("/")
    listing = ["--project", project, "--location", location, "--dataset", dataset]
    return (
        "The export may have been started nevertheless, and a second one would add every row again."
        f" See `gcloud healthcare operations list {' '.join(listing)}`: follow one that runs with"
        " --resume; if there is none, run the same command again."
    )


def _tell_whose_rows(error: OperationFailedError) -> None:
    """Say of a table with rows what else may have filled it than somebody else."""
    if error.details["status"] in ("ALREADY_EXISTS", "FAILED_PRECONDITION"):
        error.cure = (
            "The answer to an earlier attempt of this command was lost, so these may be its own"
            f" rows: if they are all there, all is well. Otherwise: {error.cure}"
        )


def work(choice: Choice, table: Table, name: str) -> Work:
    """Describe an export for progress and errors."""
    resume = [*choice.flags, "--table", table.uri, "--resume", name]
    return Work("Exporting", f"exporting to {table.uri}", command_line(SCRIPT, resume))


def table_of(target: Target, uri: str | None) -> Table:
    """Decide on the table: the option, else the stack's output.

    Raises:
        UsageError: neither is there.
    """
    chosen = uri or target.table_uri
    if not chosen:
        raise UsageError("No stack names the table.", "Give --table bq://PROJECT.DATASET.TABLE.")
    return Table.from_uri(chosen)


@app.command(help=HELP)
@cli.guarded("If the export had been started, it goes on by itself: look before you run it again.")
def main(
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    table_uri: cli.TableUri = None,
    disposition: Annotated[
        WriteDisposition,
        typer.Option(
            "--write-disposition", "-w", help="Rows that are there: refuse, replace, add."
        ),
    ] = WriteDisposition.EMPTY,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    choice = cli.choice(stack_name, project, location, dataset, store)
    began = time.monotonic()
    if resume:
        operations.check_name(resume)
    target = stack.resolve(choice, output.say)
    table = table_of(target, table_uri)
    client = clients.healthcare()
    if resume:
        begun = Begun(resume)
    else:
        begun = start(client, target.store, table, disposition, output.say)
        output.say(f"Exporting {target.store} to {table.uri}")
    name, rows = begun.name, None
    if no_wait:
        operation = operations.get(client, name)
        output.result(name)
    else:
        described = work(choice, table, name)
        try:
            operation = carry_through(client, name, described, output=output, timeout=timeout)
        except OperationFailedError as error:
            if begun.doubtful:
                _tell_whose_rows(error)
            raise
        rows = tables.row_count(clients.big_query(target.project, target.location), table)
        output.result(f"{table.uri} has {rows} rows.")
    facts = {"store": target.store, "table": table.uri, "rows": rows}
    seconds = round(time.monotonic() - began, 2)
    output.json(operation.to_json() | facts | {"seconds": seconds})


if __name__ == "__main__":
    app()
