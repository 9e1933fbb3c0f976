"""The columns that SQL reads, which BigQuery charges for.

Documented: https://cloud.google.com/bigquery/docs/estimate-costs and
https://cloud.google.com/bigquery/pricing#on_demand_pricing (columns that a query names, in whole,
whatever it filters; an UPDATE, DELETE or MERGE also reads each column of the table it changes).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Name = tuple[str, str, str]
"""Project, dataset and table."""
Table = Mapping[str, Any]
"""A table of BigQuery's REST API; a view has its query under `view`."""
Find = Callable[[Name], Table | None]
_MAX_VIEW_DEPTH = 16  # as BigQuery has it


def read_columns(sql: str, find: Find, project: str, dataset: str = "") -> dict[Name, set[str]]:
    """Return the tables that statements read, each with the columns, in lower case.

    Args:
        sql: statements in GoogleSQL
        find: returns a table, or None where there is none
        project: of tables that are named without one
        dataset: of tables that are named without one

    Raises:
        SqlglotError: the SQL can't be parsed
    """
    import sqlglot  # a quarter of a second, for this alone
    from sqlglot import expressions as exp

    found: dict[Name, set[str]] = {}
    for statement in filter(None, sqlglot.parse(sql, dialect="bigquery")):
        statement = _with_views(statement, find, project, dataset, _MAX_VIEW_DEPTH)
        tables = dict(_tables(statement, find, project, dataset))
        if isinstance(statement, (exp.Update, exp.Delete, exp.Merge)):
            pairs = [(name, column) for name, columns in tables.items() for column in columns]
        else:
            pairs = list(_columns(statement, tables, project, dataset))
        for name in tables:
            found.setdefault(name, set())
        for name, column in pairs:
            found[name].add(column)
    return found


def _name(table: Any, project: str, dataset: str) -> Name:
    return table.catalog or project, table.db or dataset, table.name


def _tables(
    statement: Any, find: Find, project: str, dataset: str
) -> Iterator[tuple[Name, list[str]]]:
    """Yield the existing tables that a statement names, with their columns."""
    from sqlglot import expressions as exp

    for table in statement.find_all(exp.Table):
        name = _name(table, project, dataset)
        if resource := find(name):
            fields = resource.get("schema", {}).get("fields", [])
            yield name, [field["name"].lower() for field in fields]


def _with_views(statement: Any, find: Find, project: str, dataset: str, depth: int) -> Any:
    """Return a statement with the queries of views in their place."""
    import sqlglot
    from sqlglot import expressions as exp

    for table in list(statement.find_all(exp.Table)) if depth else []:
        resource = find(_name(table, project, dataset)) or {}
        query = resource.get("view", {}).get("query")
        if query is None:
            continue
        inner = sqlglot.parse_one(query, dialect="bigquery")
        owner = resource["tableReference"]["projectId"]
        inner = _with_views(inner, find, owner, "", depth - 1)
        for below in inner.find_all(exp.Table):
            below.set("catalog", exp.to_identifier(below.catalog or owner))
        table.replace(exp.Subquery(this=inner, alias=exp.TableAlias(
            this=exp.to_identifier(table.alias_or_name)
        )))  # fmt: skip
    return statement


def _columns(
    statement: Any, tables: Mapping[Name, list[str]], project: str, dataset: str
) -> Iterator[tuple[Name, str]]:
    """Yield the columns that the result of a query depends on."""
    from sqlglot import expressions as exp
    from sqlglot.optimizer.pushdown_projections import pushdown_projections
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    # Types do not matter here.
    schema: dict[str, Any] = {}
    for (catalog, db, table), columns in tables.items():
        schema.setdefault(catalog, {}).setdefault(db, {})[table] = dict.fromkeys(columns, "STRING")
    qualified = qualify(
        statement, dialect="bigquery", schema=schema, catalog=project, db=dataset or None,
        validate_qualify_columns=False, identify=False, quote_identifiers=False,
    )  # fmt: skip
    pruned = pushdown_projections(qualified, schema=schema, dialect="bigquery")
    for scope in traverse_scope(pruned):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if not isinstance(source, exp.Table):
                continue
            name = _name(source, project, dataset)
            if column.name.lower() in tables.get(name, ()):
                yield name, column.name.lower()
