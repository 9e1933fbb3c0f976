"""`_include` and `_revinclude`: resources that matches refer to, or that refer to matches."""

from collections.abc import Iterator, Sequence
from sqlite3 import Connection
from typing import NamedTuple

from emulator.services.healthcare.fhir.instants import MAX_VERSION
from emulator.services.healthcare.fhir.search.conditions import NO_LIMITS, Limits
from emulator.services.healthcare.fhir.search.index import scope
from emulator.services.healthcare.fhir.search.query import Include, Query
from emulator.services.healthcare.fhir.search.store_parameters import StoreParameters
from emulator.services.healthcare.fhir.search.value_tests import Sql

MAX_STEPS = 20
"""How often `:iterate` is applied: references may form a circle, but no chain is that long."""
_BATCH = 200
"""Resources of one statement; SQLite limits its values."""


class Key(NamedTuple):
    """The type and id of a resource."""

    type: str
    id: str


def included(
    connection: Connection,
    store: str,
    matches: Sequence[Key],
    query: Query,
    limits: Limits = NO_LIMITS,
) -> list[Key]:
    """Return the resources to include, without the matches, each once.

    Args:
        connection: to the index
        store: the full name
        matches: of the page
        query: what to include
        limits: what searches may find
    """
    limit = MAX_VERSION if limits.before is None else limits.before
    found: dict[Key, None] = {}
    new, rules = [*matches], query.includes
    for _ in range(MAX_STEPS):
        keys = [
            key
            for rule in rules
            for key in _of_rule(connection, store, new, rule, query.known, limit)
        ]
        new = [key for key in dict.fromkeys(keys) if key not in found and key not in set(matches)]
        new = _visible(connection, store, new, limits)
        if not new:
            break
        found |= dict.fromkeys(new)
        rules = [rule for rule in query.includes if rule.iterate]
    return [*found]


def _of_rule(
    connection: Connection,
    store: str,
    keys: Sequence[Key],
    rule: Include,
    known: StoreParameters,
    limit: int,
) -> Iterator[Key]:
    wanted = [key for key in keys if _applies(rule, key)]
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        types = [rule.source] if rule.reverse else dict.fromkeys(key.type for key in batch)
        scopes = [one for type_ in types for one in _scopes(store, type_, rule.parameter, known)]
        found = (
            _referring(batch, scopes, limit)
            if rule.reverse
            else _referred(store, batch, rule.target, scopes, limit)
        )
        rows = connection.execute(found.text, found.values)
        yield from (Key(row["type"], row["id"]) for row in rows)


def _visible(connection: Connection, store: str, keys: Sequence[Key], limits: Limits) -> list[Key]:
    """Return the resources that the client may read."""
    if limits.visible is None:
        return [*keys]
    found: set[Key] = set()
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        rows = connection.execute(
            "SELECT type, id FROM fhir_resources WHERE store = ?"  # noqa: S608 - made of marks
            f" AND (type, id) IN (VALUES {_pairs(batch)}) AND {limits.visible.text}",
            (store, *_values(batch), *limits.visible.values),
        )
        found |= {Key(row["type"], row["id"]) for row in rows}
    return [key for key in keys if key in found]


def _applies(rule: Include, key: Key) -> bool:
    named = rule.target if rule.reverse else rule.source
    return not named or key.type == named


def _referred(
    store: str, keys: Sequence[Key], target: str, scopes: Sequence[int], limit: int
) -> Sql:
    """Return the statement of the resources of the store that some resources refer to."""
    return Sql(
        "SELECT DISTINCT t.type, t.id FROM fhir_resources s"  # noqa: S608 - made of marks
        " CROSS JOIN fhir_index_references f ON f.resource = s.number"
        " CROSS JOIN fhir_resources t ON t.store = s.store AND t.type = f.type AND t.id = f.id"
        f" WHERE s.store = ? AND (s.type, s.id) IN (VALUES {_pairs(keys)}) AND f.url = ''"
        f" AND f.scope IN ({_marks(scopes)}) AND (? = '' OR f.type = ?) AND s.version < ?"
        " ORDER BY t.number",
        (store, *_values(keys), *scopes, target, target, limit),
    )


def _referring(keys: Sequence[Key], scopes: Sequence[int], limit: int) -> Sql:
    """Return the statement of the resources of the store that refer to some resources."""
    return Sql(
        "SELECT DISTINCT s.type, s.id FROM fhir_index_references f"  # noqa: S608 - made of marks
        " CROSS JOIN fhir_resources s ON s.number = f.resource"
        f" WHERE f.scope IN ({_marks(scopes)}) AND f.url = ''"
        f" AND (f.type, f.id) IN (VALUES {_pairs(keys)}) AND s.version < ? ORDER BY s.number",
        (*scopes, *_values(keys), limit),
    )


def _scopes(store: str, resource_type: str, code: str, known: StoreParameters) -> Sequence[int]:
    """Return the scopes of a reference of a type; without a code, of all its references."""
    return [
        scope(store, resource_type, parameter.code)
        for parameter in known.of(resource_type).values()
        if parameter.type == "reference" and code in ("", parameter.code)
    ]


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" for _ in values)


def _pairs(keys: Sequence[Key]) -> str:
    return ", ".join("(?, ?)" for _ in keys)


def _values(keys: Sequence[Key]) -> Iterator[str]:
    for key in keys:
        yield from key
