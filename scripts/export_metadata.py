"""Export the metadata of a DICOM store to a BigQuery table, and wait until it is done."""

from typing import Annotated

import typer

from scripts.data.write_disposition import WriteDisposition
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice, Following

HELP = f"""Export the metadata of a DICOM store to a BigQuery table, one row an instance.

By default the table must be empty or not exist, as with the API itself. Use
[bold]--write-disposition truncate[/bold] to replace its rows, [bold]append[/bold] to add to them.

[bold]Examples[/bold]

  export_metadata.py                                  to the table of the stack

  export_metadata.py --write-disposition truncate     again, replacing the rows

  export_metadata.py --stack dev --store dicomstore2 --table bq://my-project.dataset1.second

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = (
    "If the export was started, it continues by itself: check before you run it again."
)

app = cli.application()


@app.command(help=HELP)
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
            "--write-disposition", "-w", help="Treatment of existing rows: refuse, replace, add"
        ),
    ] = WriteDisposition.EMPTY,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import metadata_export

        choice = Choice(stack_name, project, location, dataset, store)
        following = Following(resume, no_wait, timeout)
        metadata_export.run(choice, table_uri, disposition, following, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
