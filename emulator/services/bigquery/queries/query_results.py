"""Results of queries and jobs as BigQuery words them.

bqemulator names unnamed columns as DuckDB does, colours parts of its messages for a terminal, and
answers a query that fails with 200. Documented: the names `f0_`, `f1_`, ... of unnamed columns
(https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#implicit_aliases).
"""

import json
import re
from typing import Any

from emulator.services.bigquery.errors import of_reason
from emulator.services.bigquery.queries import query_errors
from emulator.services.bigquery.queries.query_errors import LocationOf

_PATH = re.compile(r"/bigquery/v2/projects/([^/]+)/(?:queries|jobs)(?:/.*)?")
_SCHEMA_END = b'"rows":'
_NAME = re.compile(rb'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')
_COLUMN = re.compile(rb"(?!_col_[0-9]+$)[A-Za-z_][\w\x80-\xff]*")
_KEYWORDS = frozenset(
    {b"NULL", b"CURRENT_DATE", b"CURRENT_DATETIME", b"CURRENT_TIME", b"CURRENT_TIMESTAMP"}
)
"""What DuckDB names a column after, though it is a valid name too."""
_TAIL_BYTES = 4096
"""The end of a result, where its errors stand."""


def project_of(path: str) -> str:
    """Return the project of a query or a job; empty for any other path.

    Args:
        path: with the root of its API
    """
    match = _PATH.fullmatch(path)
    return match[1] if match else ""


def as_bigquery(content: bytes, location_of: LocationOf) -> bytes:
    """Return the JSON of a query or a job as BigQuery answers it.

    Args:
        content: as bqemulator answers it
        location_of: where a query that names a dataset runs; bqemulator says `US` of each

    Raises:
        BigQueryError: the error of a query that has failed
    """
    before_rows = content.partition(_SCHEMA_END)[0]
    unnamed = any(_is_unnamed(match[1]) for match in _NAME.finditer(before_rows))
    # Rows may be many: what needs no change is not parsed.
    if not unnamed and b'"error' not in before_rows + content[-_TAIL_BYTES:]:
        return content
    body = json.loads(content)
    if body.get("kind") == "bigquery#queryResponse" and body.get("errors"):
        first = body["errors"][0]
        raise of_reason(first["reason"], query_errors.worded(first["message"], location_of))
    return json.dumps(_renamed(_worded(body, location_of))).encode()


def _is_unnamed(name: bytes) -> bool:
    return _COLUMN.fullmatch(name) is None or name in _KEYWORDS


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    """Return a result whose unnamed columns are called `f0_`, `f1_`, ..."""
    number = 0
    for field in body.get("schema", {}).get("fields", []):
        if _is_unnamed(field["name"].encode()):
            field["name"] = f"f{number}_"
            number += 1
    return body


def _worded(value: Any, location_of: LocationOf) -> Any:
    """Return a value whose messages are plain text."""
    if isinstance(value, dict):
        return {
            key: query_errors.worded(below, location_of)
            if key == "message" and isinstance(below, str)
            else _worded(below, location_of)
            for key, below in value.items()
        }
    return [_worded(item, location_of) for item in value] if isinstance(value, list) else value
