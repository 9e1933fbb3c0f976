"""Export the resources of a FHIR store to Cloud Storage or BigQuery."""

from typing import Annotated

import typer

from scripts.data.fhir_options import SchemaType
from scripts.data.write_disposition import WriteDisposition
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice, Following

HELP = f"""Export the resources of a FHIR store to Cloud Storage or BigQuery.

A folder gets an object for each resource type, with a resource a line. A BigQuery dataset gets a
table for each; by default a table that has rows is an error.

[bold]Examples[/bold]

  export_fhir.py gs://my-bucket/out --type Patient --since 2026-01-01T00:00:00Z

  export_fhir.py bq://my-project.research --write-disposition truncate

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = (
    "If the export was started, it continues by itself: check before you run it again."
)

app = cli.application()


@app.command(help=HELP)
def main(
    target: Annotated[
        str, typer.Argument(metavar="URI", help="gs://BUCKET/FOLDER or bq://PROJECT.DATASET")
    ],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Resource type to export; may be repeated")
    ] = None,
    since: Annotated[str, typer.Option(help="First time of the last update, in RFC 3339")] = "",
    schema: Annotated[
        SchemaType | None,
        typer.Option(help="Schema of the tables [dim]\\[default: analytics-v2][/dim]"),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            min=1, max=5, help="Depth of recursive columns of the tables [dim]\\[default: 2][/dim]"
        ),
    ] = None,
    disposition: Annotated[
        WriteDisposition | None,
        typer.Option(
            "--write-disposition",
            "-w",
            help="Treatment of existing rows of the tables: refuse, replace, add "
            "[dim]\\[default: empty][/dim]",
        ),
    ] = None,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.FhirStore = None,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import bulk, fhir_bulk

        choice = Choice(stack_name, project, location, dataset, store)
        following = Following(resume, no_wait, timeout)
        tables = fhir_bulk.TableOptions(schema, depth, disposition)
        export = fhir_bulk.export_work(target, types or (), since, tables)
        bulk.run(export, choice, following, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
