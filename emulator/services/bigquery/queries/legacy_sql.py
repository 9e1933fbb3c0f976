"""References to tables in legacy SQL, as GoogleSQL writes them; the rest of legacy SQL stays.

Documented: https://cloud.google.com/bigquery/docs/reference/legacy-sql#from, and that a query is
legacy SQL unless it says otherwise
(https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query, `useLegacySql`).
"""

import re
from collections.abc import Mapping
from typing import Any

_TABLE = re.compile(r"\[(?:(?P<project>[\w-]+):)?(?P<dataset>\w+)\.(?P<table>\w+)\]")


def query_of(body: Any) -> dict[str, Any] | None:
    """Return the query in the body of `jobs.query` or `jobs.insert`; None for another job."""
    if not isinstance(body, dict):
        return None
    configuration = body.get("configuration", {"query": body})
    query = configuration.get("query") if isinstance(configuration, dict) else None
    return query if isinstance(query, dict) else None


def googlesql(query: Mapping[str, Any]) -> str:
    """Return the SQL of a query with references that GoogleSQL can read.

    Args:
        query: with `query` and `useLegacySql`, of `jobs.query` or of a job's configuration
    """
    sql = str(query.get("query", ""))
    if query.get("useLegacySql") is False:
        return sql
    return _TABLE.sub(lambda match: f"`{'.'.join(filter(None, match.groups()))}`", sql)
