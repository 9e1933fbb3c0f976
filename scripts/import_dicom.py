"""Import DICOM files from Cloud Storage into a DICOM store, and wait until it is done."""

import time
from typing import Annotated, Any

import typer

from scripts.common import cli, clients, operations, stack, uris
from scripts.common.beginnings import Beginning, Say
from scripts.common.cli import Output, command_line
from scripts.common.errors import translated
from scripts.common.operations import Operation
from scripts.common.stack import Choice, Target
from scripts.common.work import Work, carry_through

SCRIPT = "import_dicom.py"
HELP = f"""Import DICOM files from Cloud Storage into a DICOM store, and wait until it is done.

The service does the work as a long-running operation: stop this script whenever you like, and
take it up again with [bold]--resume[/bold]. Files that are there already are left as they are,
so importing twice is harmless.

[bold]Wildcards[/bold]: [cyan]*[/cyan] within a folder, [cyan]?[/cyan] for one character,
[cyan]**[/cyan] for any depth at the end or before an extension.

[bold]Examples[/bold]

  import_dicom.py                                          the lab's 405 files, stack local

  import_dicom.py 'gs://my-bucket/ct/**.dcm' --stack dev   a whole folder tree

  import_dicom.py --no-wait                                prints the operation's name

  import_dicom.py --resume projects/p/locations/l/datasets/d/operations/1

{cli.EXIT_CODES}"""

app = cli.application()


def start(client: Any, store: str, source: str, say: Say = lambda _: None) -> str:
    """Start an import.

    Args:
        client: of the Healthcare API.
        store: the DICOM store's full name.
        source: a `gs://` URI with wildcards.
        say: told where the answer was lost.

    Returns:
        The operation's name.

    Raises:
        UsageError: the URI's form is wrong; nothing was called.
        ScriptError: the service refuses: no such store, no such object, no permission.
    """
    uri = str(uris.parse(source))
    stores = client.projects().locations().datasets().dicomStores()
    request = {"gcsSource": {"uri": uri}}
    send = stores.import_(name=store, body=request).execute
    with translated(f"importing {uri} into {store}"):
        # The API ignores instances that it has, so this call may safely be sent twice.
        return Beginning(client, store, "Import", send, say=say).begin().name


def work(choice: Choice, store: str, name: str) -> Work:
    """Describe an import for progress and errors."""
    return Work(
        label="Importing",
        doing=f"importing into {store}" if store else "importing",
        resume=command_line(SCRIPT, [*choice.flags, "--resume", name]),
    )


def _summary(
    operation: Operation, target: Target | None, source: str | None, seconds: float
) -> dict[str, Any]:
    return operation.to_json() | {
        "store": target.store if target else None,
        "source": source,
        "seconds": round(seconds, 2),
        "failures": [],
    }


@app.command(help=HELP)
@cli.guarded("Nothing had been started, or it goes on by itself; importing again is harmless.")
def main(
    source: Annotated[
        str, typer.Argument(metavar="[GS_URI]", help="The files, with wildcards if you like.")
    ] = uris.LAB_SOURCE,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    choice = cli.choice(stack_name, project, location, dataset, store)
    began = time.monotonic()
    target: Target | None = None
    if resume:
        operations.check_name(resume)
        stack.enter_for(choice, output.say)
        client = clients.healthcare()
        name, shown_source = resume, None
    else:
        shown_source = str(uris.parse(source))
        target = stack.resolve(choice, output.say)
        client = clients.healthcare()
        name = start(client, target.store, shown_source, output.say)
        output.say(f"Importing {shown_source} into {target.store}")
    if no_wait:
        operation = operations.get(client, name)
        output.result(name)
    else:
        described = work(choice, target.store if target else "", name)
        operation = carry_through(client, name, described, output=output, timeout=timeout)
        output.result(f"{operation.success} files are in the store, none failed.")
    output.json(_summary(operation, target, shown_source, time.monotonic() - began))


if __name__ == "__main__":
    app()
