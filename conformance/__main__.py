"""Compare the local Google Cloud with Google Cloud, check by check."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output

HELP = """Compare the local Google Cloud with Google Cloud, check by check.

The same small calls run in a project of yours and in a local Google Cloud that is started for
them. Both get a Healthcare dataset, a bucket, a BigQuery dataset and topics of their own, which are
removed afterwards. The answers of Google Cloud are stored as recordings for the tests.

[bold]Examples[/bold]

  python -m conformance my-project

  python -m conformance my-project --only json-decimal-nan --yes

  python -m conformance --cleanup            remove what a run that was killed has left

[bold]Exit codes[/bold]: 0 all checks are equal; 1 failure; 2 usage error; 3 some checks differ;
130 interrupted."""

AFTER_INTERRUPT = (
    "If a resource could not be removed, it was named: remove it with `python -m conformance "
    "--cleanup`."
)

app = cli.application()


@app.command(help=HELP)
def main(
    project: Annotated[
        str, typer.Argument(help="Project on Google Cloud", show_default=False)
    ] = "",
    location: Annotated[str, typer.Option(help="Location of the resources")] = "us-central1",
    only: Annotated[
        list[str] | None, typer.Option(metavar="CHECK", help="Run this check; may be repeated")
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("--output", dir_okay=False, help="Write the JSON to this file")
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            show_default=False,
            help="Folder for the recordings, instead of tests/recordings",
        ),
    ] = None,
    real_root: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address to call instead of Google's own; nothing is recorded without "
            "--recordings",
        ),
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="List the checks")] = False,
    cleanup: Annotated[
        bool, typer.Option("--cleanup", help="Remove what earlier runs have left")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first")] = False,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from conformance import command

        if cleanup:
            command.clean_up(output)
        elif list_checks:
            command.list_checks(output)
        else:
            request = command.Request(
                project, location, tuple(only or ()), output_file, recordings, real_root, yes
            )
            command.run(request, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    cli.interrupt_on_sigterm()
    app()
