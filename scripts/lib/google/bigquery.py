"""BigQuery: tables by `bq://` URI, and SQL with its rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery.table import Row

from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.google import retry
from scripts.lib.google.errors import translate_errors

# Project ids may hold a domain and a colon ("example.com:project").
_URI = re.compile(
    r"bq://(?P<project>(?:[a-z0-9.-]+:)?[a-z0-9-]+)\.(?P<dataset>\w+)\.(?P<table>[^./`]+)"
)


@dataclass(frozen=True)
class Table:
    """A BigQuery table."""

    project: str
    dataset: str
    table: str

    @classmethod
    def from_uri(cls, uri: str) -> "Table":
        """Read `bq://PROJECT.DATASET.TABLE`.

        Raises:
            UsageError: not of that form
        """
        match = _URI.fullmatch(uri)
        if match is None:
            raise UsageError(
                f"{uri!r} is not a valid BigQuery table URI.",
                "The form is bq://PROJECT.DATASET.TABLE.",
            )
        return cls(**match.groupdict())

    @property
    def uri(self) -> str:
        """As the Healthcare API names it."""
        return f"bq://{self.project}.{self.dataset}.{self.table}"

    @property
    def sql(self) -> str:
        """As SQL names it."""
        return f"`{self.project}.{self.dataset}.{self.table}`"


@dataclass(frozen=True)
class Rows:
    """The answer to a query: column names, and rows of plain values."""

    columns: list[str]
    rows: list[dict[str, Any]]

    def column(self, name: str) -> list[Any]:
        """Return one column's values."""
        return [row[name] for row in self.rows]


class QueryError(ScriptError):
    """An error in the SQL of a query."""


def query(
    client: bigquery.Client,
    sql: str,
    *,
    dataset: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Rows:
    """Run a query to its end.

    Args:
        client: of the project that is billed
        sql: GoogleSQL
        dataset: the default dataset of table names
        parameters: values of `@name` in the SQL, as strings

    Raises:
        QueryError: the SQL is not valid; the text is BigQuery's own
        ScriptError: BigQuery can't be reached or refuses
    """
    config = bigquery.QueryJobConfig()
    if dataset:
        config.default_dataset = f"{client.project}.{dataset}"
    config.query_parameters = [
        bigquery.ScalarQueryParameter(name, "STRING", value)
        for name, value in (parameters or {}).items()
    ]
    try:
        with translate_errors("querying BigQuery"):
            answer = retry.call(lambda: _run(client, sql, config))
    except ScriptError as error:
        cause = error.__cause__
        if isinstance(cause, (exceptions.BadRequest, exceptions.NotFound)):
            message = f"{error.message}\nThe query was: {sql.strip()}"
            raise QueryError(message, error.hint, details=error.details) from cause
        raise
    columns = [schema.name for schema in answer.schema]
    return Rows(columns, [dict(row.items()) for row in answer])


class _QueryResult(Protocol):
    """Result of a query job: the library's row iterator, or its private one of an empty result."""

    @property
    def schema(self) -> Sequence[bigquery.SchemaField]:
        """The columns."""

    def __iter__(self) -> Iterator[Row]: ...


def _run(client: bigquery.Client, sql: str, config: bigquery.QueryJobConfig) -> _QueryResult:
    """Run a query once; the library retries its calls, but not for its default of ten minutes.

    A job, not `jobs.query`: bqemulator reports errors of the SQL there only.
    """
    patience = bigquery.DEFAULT_RETRY.with_timeout(retry.DEADLINE_SECONDS).with_delay(
        retry.INITIAL_SECONDS, retry.MAXIMUM_SECONDS
    )
    job = client.query(sql, job_config=config, retry=patience, job_retry=None)
    return job.result(retry=patience)


def row_count(client: bigquery.Client, table: Table) -> int:
    """Count a table's rows.

    Raises:
        ScriptError: there is no such table, or it can't be read
    """
    answer = query(client, f"SELECT COUNT(*) AS n FROM {table.sql}")  # noqa: S608
    return int(answer.rows[0]["n"])
