"""Ask BigQuery about the exported metadata: the lab's two questions, or any SQL."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from google.cloud import bigquery
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from scripts.common import cli, clients, stack, tables
from scripts.common.cli import Output
from scripts.common.errors import UsageError
from scripts.common.tables import Rows, Table
from scripts.export_metadata import table_of

HELP = """Ask BigQuery about the exported metadata: the lab's two questions, or any SQL.

In your SQL, a table name without a dataset means the stack's dataset: FROM dicomstore1.

[bold]Examples[/bold]

  query_metadata.py                       the lab's two queries

  query_metadata.py --all                 with every row

  query_metadata.py --sql 'SELECT StudyDescription, COUNT(*) AS n FROM dicomstore1 GROUP BY 1'

  query_metadata.py --sql 'SELECT * FROM dicomstore1 WHERE PatientID = @p' --param p=88 --json

[bold]Exit codes[/bold]: 0 all went well; 1 failed; 2 the command line is wrong; 130 interrupted."""

DEFAULT_LIMIT = 10

app = cli.application()


@dataclass(frozen=True)
class Question:
    """A query with its meaning for people and its parameters (strings, by name)."""

    title: str
    sql: str
    parameters: dict[str, str]


def patient_question(table: Table, patient: str = "88") -> Question:
    """Make the lab's first query: what was found in one patient."""
    sql = f"SELECT StudyDescription FROM {table.sql} WHERE PatientID = @patient"  # noqa: S608
    return Question(f"Findings of patient {patient}", sql, {"patient": patient})


def no_finding_question(table: Table) -> Question:
    """Make the lab's second query: in whom nothing was found."""
    sql = (
        f"SELECT PatientID FROM {table.sql} "  # noqa: S608
        "WHERE StudyDescription = 'No Finding' ORDER BY SAFE_CAST(PatientID AS INT64)"
    )
    return Question("Patients with an image of 'No Finding'", sql, {})


def lab_questions(table: Table) -> list[Question]:
    """Give the lab's two queries, in its order."""
    return [patient_question(table), no_finding_question(table)]


def ask(client: bigquery.Client, question: Question, dataset: str = "") -> Rows:
    """Run a question's query.

    Raises:
        ScriptError: see `tables.query`.
    """
    return tables.query(client, question.sql, dataset=dataset, parameters=question.parameters)


def rendered(question: Question, rows: Rows, limit: int | None) -> Group:
    """Draw an answer as a table with its number of rows below.

    Args:
        question: gives the title.
        rows: the answer.
        limit: rows to show; None shows all.
    """
    shown = rows.rows if limit is None else rows.rows[:limit]
    count = len(rows.rows)
    below = f"{count} row{'' if count == 1 else 's'}"
    if len(shown) < count:
        below += f", the first {len(shown)} shown: --all shows every one"
    drawn = RichTable(title=question.title, title_justify="left", min_width=40)
    # Text, not str: data must not be read as markup.
    for column in rows.columns:
        drawn.add_column(Text(column), overflow="fold")
    for row in shown:
        values = ("" if row[name] is None else str(row[name]) for name in rows.columns)
        drawn.add_row(*map(Text, values))
    return Group(drawn, Text(below, style="dim"))


def read_parameters(given: list[str]) -> dict[str, str]:
    """Read `--param name=value`.

    Raises:
        UsageError: no `=`, or no name before it.
    """
    parameters = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {item!r} does not read NAME=VALUE.")
        parameters[name] = value
    return parameters


def questions(
    sql: str | None, sql_file: Path | None, parameters: list[str], table_of_lab: Table
) -> list[Question]:
    """Decide what to ask.

    Raises:
        UsageError: the options contradict each other, or the file can't be read.
    """
    if sql is not None and sql_file is not None:
        raise UsageError("--sql and --sql-file exclude each other.")
    if sql_file is not None:
        try:
            sql = sys.stdin.read() if str(sql_file) == "-" else sql_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{sql_file} can't be read: {error}") from error
    read = read_parameters(parameters)
    if sql is None:
        if read:
            raise UsageError("--param goes with --sql or --sql-file.")
        return lab_questions(table_of_lab)
    if not sql.strip():
        raise UsageError("The SQL is empty.")
    return [Question("Result", sql, read)]


def _write_csv(rows: Rows) -> None:
    writer = csv.DictWriter(sys.stdout, rows.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.rows)


@app.command(help=HELP)
@cli.guarded("Nothing has changed; run the same command again.")
def main(
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    table_uri: cli.TableUri = None,
    sql: Annotated[str | None, typer.Option(help="A query of your own, in GoogleSQL.")] = None,
    sql_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same from a file; - is standard input.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A string for @NAME in the SQL; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show of each table.")] = DEFAULT_LIMIT,
    show_all: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the rows of one query as CSV.")
    ] = False,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    if as_csv and (as_json or (sql is None and sql_file is None)):
        raise UsageError("--csv goes with --sql or --sql-file, and without --json.")
    output = Output(as_json=as_json)
    choice = cli.choice(stack_name, project, location, dataset, store)
    target = stack.resolve(choice, output.say)
    table = table_of(target, table_uri)
    client = clients.big_query(target.project, target.location)
    answers: list[dict[str, Any]] = []
    for question in questions(sql, sql_file, param or [], table):
        rows = ask(client, question, table.dataset)
        answers.append({"title": question.title, "sql": question.sql, "rows": rows.rows})
        if as_csv:
            _write_csv(rows)
        elif not as_json:
            output.out.print(rendered(question, rows, None if show_all else limit))
    output.json({"table": table.uri, "queries": answers})


if __name__ == "__main__":
    app()
