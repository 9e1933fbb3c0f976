"""The permissions that queries and jobs of BigQuery need on datasets, by what they name.

Documented: https://cloud.google.com/bigquery/docs/access-control.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.access.rules import BIGQUERY, Requirement
from emulator.services.bigquery.queries import legacy_sql

_READ, _WRITE = "bigquery.tables.getData", "bigquery.tables.updateData"
_CREATE, _DELETE, _LIST = (f"bigquery.tables.{verb}" for verb in ("create", "delete", "list"))

Json = Mapping[str, Any]


def requirements(body: Json, project: str) -> list[Requirement]:
    """Return what a `jobs.query` or a `jobs.insert` needs beside `bigquery.jobs.create`.

    Args:
        body: of the request
        project: the project of the job
    """
    configuration = body.get("configuration", {"query": body})
    found: set[tuple[str, str]] = set()
    if query := configuration.get("query"):
        default = query.get("defaultDataset", {})
        found |= set(_of_statements(legacy_sql.googlesql(query), project, default))
        found |= _destination(query, project)
    if load := configuration.get("load"):
        found |= _destination(load, project)
    if copy := configuration.get("copy"):
        sources = copy.get("sourceTables", [copy.get("sourceTable", {})])
        found |= {(_READ, _dataset(source, project)) for source in sources}
        found |= _destination(copy, project)
    if extract := configuration.get("extract"):
        found.add((_READ, _dataset(extract.get("sourceTable", {}), project)))
    return [Requirement(BIGQUERY, permission, resource) for permission, resource in sorted(found)]


def _destination(settings: Json, project: str) -> set[tuple[str, str]]:
    table = settings.get("destinationTable")
    if not table:
        return set()
    return {(permission, _dataset(table, project)) for permission in (_WRITE, _CREATE)}


def _dataset(reference: Json, project: str) -> str:
    return f"projects/{reference.get('projectId', project)}/datasets/{reference.get('datasetId')}"


def _of_statements(sql: str, project: str, default: Json) -> Iterator[tuple[str, str]]:
    """Yield permissions and datasets; none for what can't be parsed, which BigQuery refuses."""
    import sqlglot  # a quarter of a second, for this alone
    from sqlglot import expressions as exp
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(sql, dialect="bigquery")
    except SqlglotError:
        return
    for statement in filter(None, statements):
        local = {cte.alias_or_name for cte in statement.find_all(exp.CTE)}
        target = _target(statement)
        for table in statement.find_all(exp.Table):
            if not table.db and table.name in local:
                continue
            owner = table.catalog or default.get("projectId", project)
            dataset = table.db or default.get("datasetId")
            if dataset is None:
                continue
            name = f"projects/{owner}/datasets/{dataset}"
            for permission in _permissions(statement, is_target=table is target):
                yield (_LIST if _is_information(table) else permission), name


def _target(statement: Any) -> Any:
    """Return the table that a statement changes, or None."""
    from sqlglot import expressions as exp

    if isinstance(statement, (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop)):
        target = statement.this
        return target.find(exp.Table) if target is not None else None
    return None


def _permissions(statement: Any, *, is_target: bool) -> tuple[str, ...]:
    from sqlglot import expressions as exp

    if not is_target:
        return (_READ,)
    if isinstance(statement, exp.Create):
        return (_CREATE, _WRITE)
    if isinstance(statement, exp.Drop):
        return (_DELETE,)
    return (_WRITE,)


def _is_information(table: Any) -> bool:
    return "INFORMATION_SCHEMA" in table.name.upper()
