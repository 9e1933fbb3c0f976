"""Ask BigQuery about the exported metadata: the lab's two questions, or any SQL."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice

HELP = """Ask BigQuery about the exported metadata: the lab's two questions, or any SQL.

In your SQL, a table name without a dataset means the stack's dataset: FROM dicomstore1.

[bold]Examples[/bold]

  query_metadata.py                       the lab's two queries

  query_metadata.py --all                 with every row

  query_metadata.py --sql 'SELECT StudyDescription, COUNT(*) AS n FROM dicomstore1 GROUP BY 1'

  query_metadata.py --sql 'SELECT * FROM dicomstore1 WHERE PatientID = @p' --param p=88 --json

[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error; 130 interrupted."""

AFTER_INTERRUPT = "Nothing has changed; run the same command again."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    table_uri: cli.TableUri = None,
    sql: Annotated[str | None, typer.Option(help="A query of your own, in GoogleSQL")] = None,
    sql_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same from a file; - is standard input")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A string for @NAME in the SQL; may be repeated"),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show of each table")] = 10,
    show_all: Annotated[bool, typer.Option("--all", help="Show every row")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the rows of one query as CSV")
    ] = False,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import metadata_query

        choice = Choice(stack_name, project, location, dataset, store)
        shown = None if show_all else limit
        request = metadata_query.Request(
            choice, table_uri, sql, sql_file, param or [], shown, as_csv
        )
        metadata_query.run(request, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
