"""`_include` and `_revinclude`: resources that matches refer to, or that refer to matches."""

from collections.abc import Iterable, Iterator, Sequence
from sqlite3 import Connection, Row
from typing import NamedTuple

from emulator.services.healthcare.fhir.search.query import Include

MAX_STEPS = 20
"""How often `:iterate` is applied: references may form a circle, but no chain is that long."""
_BATCH = 200
"""Resources of one statement; SQLite limits its values."""


class Key(NamedTuple):
    """The type and id of a resource."""

    type: str
    id: str


def included(
    connection: Connection, store: str, matches: Sequence[Key], includes: Sequence[Include]
) -> list[Key]:
    """Return the resources to include, without the matches, each once.

    Args:
        connection: to the index
        store: the full name
        matches: of the page
        includes: what to include
    """
    found: dict[Key, None] = {}
    new, rules = [*matches], includes
    for _ in range(MAX_STEPS):
        keys = [key for rule in rules for key in _of_rule(connection, store, new, rule)]
        new = [key for key in dict.fromkeys(keys) if key not in found and key not in set(matches)]
        if not new:
            break
        found |= dict.fromkeys(new)
        rules = [rule for rule in includes if rule.iterate]
    return [*found]


def _of_rule(
    connection: Connection, store: str, keys: Sequence[Key], rule: Include
) -> Iterator[Key]:
    wanted = [key for key in keys if _applies(rule, key)]
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        rows = (_referring if rule.reverse else _referred)(connection, store, batch, rule)
        yield from (Key(row["type"], row["id"]) for row in rows)


def _applies(rule: Include, key: Key) -> bool:
    named = rule.target if rule.reverse else rule.source
    return not named or key.type == named


def _referred(
    connection: Connection, store: str, keys: Sequence[Key], rule: Include
) -> Iterable[Row]:
    """Return the resources of the store that some resources refer to."""
    return connection.execute(
        "SELECT DISTINCT t.type, t.id FROM fhir_resources s"  # noqa: S608 - made of marks
        " JOIN fhir_index_references f ON f.resource = s.number"
        " JOIN fhir_index_scopes p ON p.number = f.scope"
        " JOIN fhir_resources t ON t.store = s.store AND t.type = f.type AND t.id = f.id"
        f" WHERE s.store = ? AND (s.type, s.id) IN (VALUES {_marks(keys)}) AND f.url = ''"
        " AND (? = '' OR p.parameter = ?) AND (? = '' OR f.type = ?) ORDER BY t.number",
        (store, *_values(keys), *(rule.parameter,) * 2, *(rule.target,) * 2),
    )


def _referring(
    connection: Connection, store: str, keys: Sequence[Key], rule: Include
) -> Iterable[Row]:
    """Return the resources of the store that refer to some resources."""
    return connection.execute(
        "SELECT DISTINCT s.type, s.id FROM fhir_index_scopes p"  # noqa: S608 - made of marks
        " JOIN fhir_index_references f ON f.scope = p.number"
        " JOIN fhir_resources s ON s.number = f.resource"
        " WHERE p.store = ? AND p.type = ? AND (? = '' OR p.parameter = ?) AND f.url = ''"
        f" AND (f.type, f.id) IN (VALUES {_marks(keys)}) ORDER BY s.number",
        (store, rule.source, *(rule.parameter,) * 2, *_values(keys)),
    )


def _marks(keys: Sequence[Key]) -> str:
    return ", ".join("(?, ?)" for _ in keys)


def _values(keys: Sequence[Key]) -> Iterator[str]:
    for key in keys:
        yield from key
