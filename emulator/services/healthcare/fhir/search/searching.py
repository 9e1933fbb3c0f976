"""Searches of a store: matches in order, page by page, with the resources to include.

Documented: the newest resources come first, unless `_sort` says otherwise. A page begins after the
last match of the page before, so that resources which are written between two pages neither repeat
nor hide another one. Inferred (conformance: fhir-search-order): resources without a value to sort
by come last.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, OperationalError, Row
from typing import Any, NamedTuple

from emulator.core.errors import ApiError
from emulator.core.resources import paging
from emulator.services.healthcare.fhir.search import including
from emulator.services.healthcare.fhir.search.conditions import (
    NO_LIMITS,
    Conditions,
    Limits,
)
from emulator.services.healthcare.fhir.search.criteria import SearchError
from emulator.services.healthcare.fhir.search.including import Key
from emulator.services.healthcare.fhir.search.index import TABLES, scope
from emulator.services.healthcare.fhir.search.query import Query
from emulator.services.healthcare.fhir.search.value_tests import Sql, any_of

Read = Callable[[str, str], Mapping[str, Any] | None]
"""Returns the current version of a resource of the store by type and id."""

_TOO_LARGE = re.compile("too many SQL variables|too large|stack overflow|too many terms|at most")
"""Limits of SQLite (https://www.sqlite.org/limits.html), in its errors."""
_DEFAULT_ORDER = [("_lastUpdated", True)]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search.

    Attributes:
        total: the number of all matches
        matches: the matches of the page, in order
        included: further resources, in no order
        next_token: of the page after; empty for the last one
    """

    total: int
    matches: Sequence[Key]
    included: Sequence[Key]
    next_token: str


class _SortKey(NamedTuple):
    """A value to sort by.

    Attributes:
        sql: selects it
        descending: whether larger values come first
    """

    sql: Sql
    descending: bool


def search(
    connection: Connection, store: str, query: Query, read: Read, limits: Limits = NO_LIMITS
) -> Page:
    """Return a page of a search.

    Raises:
        SearchError: the query is not valid, or has more conditions than SQLite takes
    """
    try:
        return _search(connection, store, query, read, limits)
    except OperationalError as error:
        if not _TOO_LARGE.search(str(error)):
            raise
        raise SearchError("the query has too many conditions: make several queries of it") from None


def _search(connection: Connection, store: str, query: Query, read: Read, limits: Limits) -> Page:
    """Return a page of a search.

    Args:
        connection: to the index
        store: the full name
        query: as `query.read` returns it
        read: for value sets that the query names
        limits: what the search may find

    Raises:
        SearchError: the query is not valid
    """
    conditions = Conditions(
        connection, store, lambda name: _codes_of(connection, store, name, read), limits
    )
    matching = _matching(conditions, query)
    [counted] = conditions.statement(
        f"total(number) AS (SELECT count(*) FROM fhir_resources WHERE {matching.text})"  # noqa: S608
        " SELECT number FROM total",
        *matching.values,
    )
    types = query.types or conditions.types()
    order = [_sort_key(store, query, types, *one) for one in query.sort or _DEFAULT_ORDER]
    listed = json.dumps([store, query.types, query.applied])
    rows = _rows(conditions, matching, order, query.count + 1, _last_key(query, listed))
    page = rows[: query.count]
    has_more = len(rows) > query.count > 0
    matches = [Key(row["type"], row["id"]) for row in page]
    return Page(
        int(counted[0]),
        matches,
        including.included(connection, store, matches, query, limits),
        paging.page_token(_key_of(page[-1], len(order)), listed) if has_more else "",
    )


def _matching(conditions: Conditions, query: Query) -> Sql:
    """Return the condition of a query on the table of resources."""
    either = [
        conditions.of(one, query.criteria.get(one if query.types else "", []))
        for one in query.types or conditions.types()
    ]
    return any_of(either)


def _sort_key(
    store: str, query: Query, types: Sequence[str], code: str, descending: bool
) -> _SortKey:
    """Return the first value of a parameter (documented), of resources of all types."""
    if code == "_lastUpdated":
        return _SortKey(Sql("version"), descending)
    of_type = query.known.of(types[0] if types else "")[code].type
    table = TABLES[of_type].name
    column = {"fhir_index_tokens": "code", "fhir_index_strings": "folded"}.get(table, "low")
    marks = ", ".join("?" for _ in types)
    return _SortKey(
        Sql(
            f"(SELECT {column} FROM {table} v INDEXED BY {table}_of"  # noqa: S608
            f" WHERE v.resource = fhir_resources.number AND v.scope IN ({marks})"
            " ORDER BY v.rowid LIMIT 1)",
            tuple(scope(store, one, code) for one in types),
        ),
        descending,
    )


def _rows(
    conditions: Conditions, matching: Sql, order: Sequence[_SortKey], limit: int, after: Any
) -> list[Row]:
    """Return matches in order, those without a value last."""
    keys = "".join(f", {key.sql.text} AS k{index}" for index, key in enumerate(order))
    key_values = [value for key in order for value in key.sql.values]
    nulls = ", ".join(f"k{index} IS NULL AS n{index}" for index in range(len(order)))
    columns = [
        column
        for index, key in enumerate(order)
        for column in ((f"n{index}", False), (f"k{index}", key.descending))
    ]
    columns.append(("number", order[0].descending))
    ordered = ", ".join(f"{name}{' DESC' * descending}" for name, descending in columns)
    later = _after(columns, after) if after is not None else Sql("1")
    return conditions.statement(
        f"m AS MATERIALIZED (SELECT number, type, id{keys} FROM fhir_resources"  # noqa: S608
        f" WHERE {matching.text}) SELECT * FROM (SELECT *, {nulls} FROM m)"
        f" WHERE {later.text} ORDER BY {ordered} LIMIT ?",
        *key_values,
        *matching.values,
        *later.values,
        limit,
    )


def _after(columns: Sequence[tuple[str, bool]], last: Sequence[Any]) -> Sql:
    """Return the condition that a row comes after one with these values."""
    alternatives: list[str] = []
    values: list[Any] = []
    for index, (name, descending) in enumerate(columns):
        same = [f"{before} IS ?" for before, _ in columns[:index]]
        alternatives.append(" AND ".join([*same, f"{name} {'<' if descending else '>'} ?"]))
        values += last[: index + 1]
    return Sql("(" + " OR ".join(f"({one})" for one in alternatives) + ")", tuple(values))


def _key_of(row: Row, keys: int) -> list[Any]:
    values = [row[f"{name}{index}"] for index in range(keys) for name in "nk"]
    return [*values, row["number"]]


def _last_key(query: Query, listed: str) -> Any:
    try:
        return paging.last_key(query.page_token, listed)
    except ApiError as error:
        raise SearchError(error.message) from None


def _codes_of(
    connection: Connection, store: str, name: str, read: Read
) -> Iterable[tuple[str, str]]:
    """Return the codes of a value set in the store, by its canonical URL or its reference."""
    resource_type, _, resource_id = name.partition("/")
    found = [Key(resource_type, resource_id)] if resource_type == "ValueSet" else []
    if not found:
        rows = connection.execute(
            "SELECT type, id FROM fhir_resources WHERE number IN"
            " (SELECT resource FROM fhir_index_tokens WHERE scope = ? AND code = ?)",
            (scope(store, "ValueSet", "url"), name),
        )
        found = [Key(row["type"], row["id"]) for row in rows]
    value_set = read(*found[0]) if found else None
    if value_set is None:
        raise SearchError(f'the store has no ValueSet "{name}"')
    listed = value_set.get("expansion", {}).get("contains", [])
    for include in value_set.get("compose", {}).get("include", []):
        listed += [{"system": include.get("system"), **one} for one in include.get("concept", [])]
    return [(str(one.get("system", "")), str(one.get("code", ""))) for one in listed]
