"""Bytes that queries process, which bqemulator reports as 0.

Documented: https://cloud.google.com/bigquery/pricing#on_demand_pricing (bytes billed are rounded up
to a megabyte, with a minimum of 10 MB for each table). A repeated query is processed again: results
are not cached. Figures are kept in memory: a restart forgets those of earlier jobs.
"""

import json
import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulator.core.errors import ApiError
from emulator.services.bigquery.backend import INTERNAL, Backend
from emulator.services.bigquery.models import Metadata
from emulator.services.bigquery.queries import legacy_sql
from emulator.services.bigquery.queries.read_columns import Name, read_columns
from emulator.services.bigquery.table_size import TableSizes

LOG = logging.getLogger(__name__)
MAX_KNOWN = 10_000
MEGABYTE = 1 << 20
MIN_BILLED_MEGABYTES = 10
_ROWS = b'"rows":'
_JOB_ID = re.compile(rb'"jobId"\s*:\s*"([^"]+)"')
_PROCESSED = re.compile(rb'("totalBytesProcessed"\s*:\s*)"0"')
_SET_OPERATOR = re.compile(r"\b(?:UNION|INTERSECT|EXCEPT)\b", re.IGNORECASE)

Json = dict[str, Any]


@dataclass(frozen=True)
class Bytes:
    """Figures of a query.

    Attributes:
        processed: logical bytes of the columns
        billed: bytes that BigQuery would charge for
    """

    processed: int = 0
    billed: int = 0


class JobStatistics:
    """The figures of queries, by project and job."""

    def __init__(self, backend: Backend, metadata: Metadata, sizes: TableSizes) -> None:
        self._backend = backend
        self._metadata = metadata
        self._sizes = sizes
        self._known: dict[tuple[str, str], Bytes] = {}

    def estimate(self, project: str, body: Any) -> Bytes:
        """Return what a query is going to read; nothing where that can't be worked out.

        Args:
            project: of the job
            body: of `jobs.query` or `jobs.insert`
        """
        query = legacy_sql.query_of(body)
        if query is None:
            return Bytes()
        default = query.get("defaultDataset") or {}
        find = cache(self._find)
        try:
            columns = read_columns(
                legacy_sql.googlesql(query),
                find,
                str(default.get("projectId") or project),
                str(default.get("datasetId") or ""),
            )
            sizes = [self._sizes.of_columns(find(name) or {}, columns[name]) for name in columns]
        # A figure is not worth a failed query, whatever the parser stumbles over.
        except Exception as error:  # noqa: BLE001
            LOG.debug("the size of a query is not known: %s", type(error).__name__)
            return Bytes()
        return Bytes(sum(sizes), sum(_billed(size) for size in sizes if size))

    def complete(self, project: str, content: bytes, estimated: Bytes | None) -> bytes:
        """Return an answer about queries or jobs with its figures.

        Args:
            project: of the jobs
            content: JSON
            estimated: for the query that the request started; None if it started none
        """
        head, rows, rest = content.partition(_ROWS)
        if rows:
            return self._of_rows(project, head, estimated) + rows + rest
        body = json.loads(content)
        if "jobs" in body:
            body["jobs"] = [job for job in body["jobs"] if not _is_internal(job)]
            for job in body["jobs"]:
                self._fill(project, job, None)
        elif "statistics" in body:
            self._fill(project, body, estimated)
        return json.dumps(body).encode()

    def _of_rows(self, project: str, head: bytes, estimated: Bytes | None) -> bytes:
        """Return the part of a result before its rows, which may be many, with its figure."""
        match = _JOB_ID.search(head)
        figures = self._figures(project, match[1].decode() if match else "", estimated)
        return _PROCESSED.sub(rb'\1"%d"' % figures.processed, head, count=1)

    def _fill(self, project: str, job: Json, estimated: Bytes | None) -> None:
        query = job.get("statistics", {}).get("query")
        if query is None or "errorResult" in job.get("status", {}):
            return
        figures = self._figures(project, job["jobReference"]["jobId"], estimated)
        processed = {"totalBytesProcessed": str(figures.processed)}
        job["statistics"] |= processed
        billed = 0 if job.get("configuration", {}).get("dryRun") else figures.billed
        query |= processed | {"totalBytesBilled": str(billed)}
        if "statementType" not in query and _is_set_operation(job):
            query["statementType"] = "SELECT"

    def _figures(self, project: str, job_id: str, estimated: Bytes | None) -> Bytes:
        key = (project, job_id)
        if estimated is not None and job_id:
            while len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = estimated
        return estimated or self._known.get(key) or Bytes()

    def _find(self, name: Name) -> Json | None:
        """Return a table or a view with its query."""
        if not all(name):
            return None
        path = "projects/{}/datasets/{}/tables/{}".format(*name)
        try:
            table = self._backend.find(path)
        except ApiError:
            return None
        if table is None or table.get("type") != "VIEW":
            return table
        return table | (self._metadata.get(path, table["creationTime"]) or {})


def _billed(size: int) -> int:
    return max(MIN_BILLED_MEGABYTES, -(-size // MEGABYTE)) * MEGABYTE


def _is_set_operation(job: Json) -> bool:
    """Whether a job's query joins others by UNION, INTERSECT or EXCEPT, which is a SELECT, too.

    Documented: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#jobstatistics2.
    bqemulator leaves its type out.
    """
    sql = str((legacy_sql.query_of(job) or {}).get("query"))
    if not _SET_OPERATOR.search(sql):
        return False
    import sqlglot  # a quarter of a second
    from sqlglot.errors import SqlglotError

    try:
        return isinstance(sqlglot.parse_one(sql, read="bigquery"), sqlglot.exp.SetOperation)
    except SqlglotError:
        return False


def _is_internal(job: Json) -> bool:
    """Whether the emulator itself started a job."""
    return str((legacy_sql.query_of(job) or {}).get("query")).endswith(INTERNAL)
