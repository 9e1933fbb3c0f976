"""Queries of BigQuery: looked at before they run, run once, and read where they are needed.

A job keeps its rows for a day (documented: https://cloud.google.com/bigquery/docs/cached-results),
so that every attempt of a worker reads the same ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import BadRequest, Forbidden, GoogleAPICallError, NotFound
from google.cloud import bigquery

from workloads.common import google

_SELECT = "SELECT"


class QueryError(Exception):
    """A query that can't be run, in BigQuery's words."""


@dataclass(frozen=True)
class Answer:
    """The rows of a job that has ended.

    Attributes:
        project: of the job
        location: of the job
        job: its id
        rows: their number
    """

    project: str
    location: str
    job: str
    rows: int


def columns_of(sql: str, project: str) -> list[str]:
    """Return the names of the columns that a query selects, without running it.

    Args:
        sql: GoogleSQL
        project: that is billed

    Raises:
        QueryError: it is not valid, may not be run, or changes something
    """
    config = bigquery.QueryJobConfig(dry_run=True)
    try:
        job = _client(project).query(sql, job_config=config)
    except (BadRequest, Forbidden, NotFound) as error:
        raise QueryError(_message(error)) from error
    if job.statement_type != _SELECT:
        raise QueryError(f"It is a {job.statement_type} statement, not one SELECT.")
    return [field.name for field in job.schema or ()]


def run(sql: str, project: str) -> Answer:
    """Run a query to its end.

    Raises:
        QueryError: BigQuery refuses
    """
    try:
        job = _client(project).query(sql)
        rows = int(job.result().total_rows or 0)
    except (BadRequest, Forbidden, NotFound) as error:
        raise QueryError(_message(error)) from error
    return Answer(project, str(job.location), str(job.job_id), rows)


def read(answer: Answer, start: int = 0, number: int | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a job.

    Args:
        answer: of the job
        start: index of the first row
        number: of rows; None for all
    """
    job: Any = _client(answer.project).get_job(answer.job, location=answer.location)
    for row in job.result(start_index=start or None, max_results=number):
        yield dict(row.items())


def columns_of_table(table: str) -> dict[str, str]:
    """Return the columns of a table: name -> type.

    Args:
        table: PROJECT.DATASET.TABLE

    Raises:
        QueryError: there is no such table, or it may not be read
    """
    try:
        found = _client(table.partition(".")[0]).get_table(table)
    except (BadRequest, Forbidden, NotFound) as error:
        raise QueryError(_message(error)) from error
    return {field.name: field.field_type for field in found.schema}


def _client(project: str) -> bigquery.Client:
    credentials: Any = google.credentials()
    return bigquery.Client(project=project, credentials=credentials)


def _message(error: GoogleAPICallError) -> str:
    """Return the words of BigQuery, without the request that the library puts before them."""
    text = str(error.errors[0].get("message", "")) if error.errors else ""
    return (text or str(error.message)).strip()
