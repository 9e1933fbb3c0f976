"""BigQuery: tables by `bq://` URI, and SQL with its rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator, _EmptyRowIterator

from scripts.common import retrying
from scripts.common.errors import ScriptError, UsageError, translated

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
            UsageError: not of that form.
        """
        match = _URI.fullmatch(uri)
        if match is None:
            raise UsageError(
                f"{uri!r} is not the URI of a BigQuery table.",
                "It reads bq://PROJECT.DATASET.TABLE.",
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
        """Give one column's values."""
        return [row[name] for row in self.rows]


class QueryError(ScriptError):
    """BigQuery refused the SQL, or couldn't run it."""


def query(
    client: bigquery.Client,
    sql: str,
    *,
    dataset: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Rows:
    """Run a query to its end.

    Args:
        client: of the project that pays for it.
        sql: GoogleSQL.
        dataset: the dataset of table names that name none.
        parameters: values of `@name` in the SQL, as strings.

    Raises:
        QueryError: the SQL is wrong; the text is BigQuery's own.
        ScriptError: BigQuery can't be reached or refuses.
    """
    config = bigquery.QueryJobConfig()
    if dataset:
        config.default_dataset = f"{client.project}.{dataset}"
    config.query_parameters = [
        bigquery.ScalarQueryParameter(name, "STRING", value)
        for name, value in (parameters or {}).items()
    ]
    try:
        with translated("querying BigQuery"):
            answer = retrying.call(lambda: _run(client, sql, config))
    except ScriptError as error:
        cause = error.__cause__
        if isinstance(cause, (exceptions.BadRequest, exceptions.NotFound)):
            message = f"{error.message}\nThe query was: {sql.strip()}"
            raise QueryError(message, error.cure, details=error.details) from cause
        raise
    columns = [schema.name for schema in answer.schema]
    return Rows(columns, [dict(row.items()) for row in answer])


def _run(
    client: bigquery.Client, sql: str, config: bigquery.QueryJobConfig
) -> RowIterator | _EmptyRowIterator:
    """Run a query once; the library repeats its calls, but not for its own ten minutes and more.

    A job, not `jobs.query`: bqemulator tells what is wrong with the SQL there only.
    """
    patience = bigquery.DEFAULT_RETRY.with_timeout(retrying.DEADLINE_SECONDS).with_delay(
        retrying.INITIAL_SECONDS, retrying.MAXIMUM_SECONDS
    )
    job = client.query(sql, job_config=config, retry=patience, job_retry=None)
    return job.result(retry=patience)


def row_count(client: bigquery.Client, table: Table) -> int:
    """Count a table's rows.

    Raises:
        ScriptError: there is no such table, or it can't be read.
    """
    answer = query(client, f"SELECT COUNT(*) AS n FROM {table.sql}")  # noqa: S608
    return int(answer.rows[0]["n"])
