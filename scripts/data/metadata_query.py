"""Queries of the exported metadata."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud import bigquery
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from scripts.data.metadata_export import table_of
from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.google import clients
from scripts.lib.google.bigquery import Rows, Table, query
from scripts.lib.options import Choice


@dataclass(frozen=True)
class Request:
    """The options of a query.

    Attributes:
        choice: the store
        table_uri: the table; None for the stack's
        sql: the user's query
        sql_file: the same from a file; `-` is standard input
        parameters: of that query, as NAME=VALUE
        limit: rows to show; None shows all
        as_csv: print the rows as CSV
    """

    choice: Choice
    table_uri: str | None
    sql: str | None
    sql_file: Path | None
    parameters: list[str]
    limit: int | None
    as_csv: bool


def run(request: Request, output: Output) -> None:
    """Run queries and print their rows.

    Raises:
        ScriptError: the options contradict each other, or BigQuery refuses
    """
    if request.as_csv and (output.as_json or (request.sql is None and request.sql_file is None)):
        raise UsageError("--csv goes with --sql or --sql-file, and without --json.")
    target = stack.resolve(request.choice, output.report)
    table = table_of(target, request.table_uri)
    client = clients.big_query(target.project, target.location)
    answers: list[dict[str, Any]] = []
    for question in questions(request.sql, request.sql_file, request.parameters, table):
        rows = ask(client, question, table.dataset)
        answers.append({"title": question.title, "sql": question.sql, "rows": rows.rows})
        if request.as_csv:
            _write_csv(rows)
        elif not output.as_json:
            output.out.print(render_table(question, rows, request.limit))
    output.json({"table": table.uri, "queries": answers})


@dataclass(frozen=True)
class Question:
    """A query with its meaning for people and its parameters (strings, by name)."""

    title: str
    sql: str
    parameters: dict[str, str]


def patient_question(table: Table, patient: str = "88") -> Question:
    """Make the lab's first query: the findings of one patient."""
    sql = f"SELECT StudyDescription FROM {table.sql} WHERE PatientID = @patient"  # noqa: S608
    return Question(f"Findings of patient {patient}", sql, {"patient": patient})


def no_finding_question(table: Table) -> Question:
    """Make the lab's second query: the patients without a finding."""
    sql = (
        f"SELECT PatientID FROM {table.sql} "  # noqa: S608
        "WHERE StudyDescription = 'No Finding' ORDER BY SAFE_CAST(PatientID AS INT64)"
    )
    return Question("PatientID of each image with 'No Finding'", sql, {})


def lab_questions(table: Table) -> list[Question]:
    """Return the lab's two queries, in its order."""
    return [patient_question(table), no_finding_question(table)]


def ask(client: bigquery.Client, question: Question, dataset: str = "") -> Rows:
    """Run a question's query.

    Raises:
        ScriptError: see `query`
    """
    return query(client, question.sql, dataset=dataset, parameters=question.parameters)


def render_table(question: Question, rows: Rows, limit: int | None) -> Group:
    """Return rows as a table, with their number below.

    Args:
        question: has the title
        rows: the answer
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
        UsageError: no `=`, or no name before it
    """
    parameters = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {item!r} is not of the form NAME=VALUE.")
        parameters[name] = value
    return parameters


def questions(
    sql: str | None, sql_file: Path | None, parameters: list[str], table_of_lab: Table
) -> list[Question]:
    """Return the queries to run.

    Raises:
        UsageError: the options contradict each other, or the file can't be read
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
