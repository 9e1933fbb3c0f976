"""The index of resources: the values of every search parameter, in tables by their form.

A row belongs to a *scope*: one parameter of one resource type in one store. A composite has a
scope for each component, and its rows have the number of the element that they come from.

Documented: the real index lags behind writes, except for a search by identifier alone. This one is
written in the transaction of the change.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.fhir.search import store_parameters, values
from emulator.services.healthcare.fhir.search.parameters import (
    Node,
    Path,
    SearchParameter,
    nodes,
    parameters_of_all,
    parameters_of_member,
)
from emulator.services.healthcare.fhir.search.store_parameters import StoreParameters


def _table(name: str, values: str, key: str) -> str:
    """Return the SQL of a table of values.

    Args:
        name: of the table
        values: the definitions of its columns beside scope, resource and item
        key: the columns by which searches find a value
    """
    return f"""
CREATE TABLE {name} (
    scope INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES fhir_resources (number) ON DELETE CASCADE,
    item INTEGER NOT NULL,
    {values}
);
CREATE INDEX {name}_by_value ON {name} (scope, {key}, resource);
CREATE INDEX {name}_of ON {name} (resource, scope);
"""


_TOKENS, _STRINGS = "fhir_index_tokens", "fhir_index_strings"
_RANGES, _REFERENCES = "fhir_index_ranges", "fhir_index_references"
SCHEMA = "".join(
    (
        _table(
            _TOKENS,
            "system TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL",
            "code, system",
        ),
        _table(_STRINGS, "folded TEXT NOT NULL, exact TEXT NOT NULL", "folded"),
        _table(
            _RANGES,
            "low NUMERIC NOT NULL, high NUMERIC NOT NULL,"
            " system TEXT NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL",
            "low, high",
        ),
        _table(_REFERENCES, "type TEXT NOT NULL, id TEXT NOT NULL, url TEXT NOT NULL", "type, id"),
        f"CREATE INDEX {_REFERENCES}_by_url ON {_REFERENCES} (scope, url) WHERE url <> '';",
    )
)


@dataclass(frozen=True, slots=True)
class ValueTable:
    """Where the values of parameters of some types are.

    Attributes:
        name: of the table
        extract: yields the values of an element
    """

    name: str
    extract: Callable[[Node], Iterator[tuple[Any, ...]]]


TABLES: Mapping[str, ValueTable] = {
    "token": ValueTable(_TOKENS, values.tokens),
    "uri": ValueTable(_TOKENS, values.tokens),
    "string": ValueTable(_STRINGS, values.texts),
    "date": ValueTable(_RANGES, values.dates),
    "number": ValueTable(_RANGES, values.numbers),
    "quantity": ValueTable(_RANGES, values.quantities),
    "reference": ValueTable(_REFERENCES, values.targets),
}
"""The table of each type of search parameter."""

_FULL_TEXT = {"_content": "", "_text": "text"}
"""Parameters over all words -> the element that they read; empty for the resource."""


def component_scope(code: str, number: int) -> str:
    """Return the name of the scope of a component of a composite parameter."""
    return f"{code}${number}"


@lru_cache(maxsize=10_000)
def scope(store: str, resource_type: str, parameter: str) -> int:
    """Return the number of a scope: a hash, so that no table and no lookup is needed."""
    name = f"{store}/{resource_type}?{parameter}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)


class SearchIndex:
    """Indexes resources in the transaction of their changes; see `resources.models.Index`."""

    def add(
        self, connection: Connection, store: str, resources: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Index resources in place of the versions that had their numbers before."""
        numbers = json.dumps([*resources])
        for name in {table.name for table in TABLES.values()}:
            connection.execute(
                f"DELETE FROM {name} WHERE resource IN (SELECT value FROM json_each(?))",  # noqa: S608
                (numbers,),
            )
        known = store_parameters.load(connection, store)
        by_table: dict[str, list[tuple[Any, ...]]] = {}
        for number, resource in resources.items():
            _collect(by_table, store, number, resource, known)
        for table, rows in by_table.items():
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608


def _collect(
    by_table: dict[str, list[tuple[Any, ...]]],
    store: str,
    number: int,
    resource: Mapping[str, Any],
    known: StoreParameters,
) -> None:
    """Add the rows of a resource to those of each table."""
    resource_type = resource["resourceType"]
    found: dict[str, SearchParameter] = {
        parameter.code: parameter
        for key in resource
        for parameter in parameters_of_member(resource_type, key)
    }
    found |= {parameter.code: parameter for parameter in parameters_of_all(resource_type)}
    found |= known.own(resource_type)
    for parameter in found.values():
        for suffix, of_type, item, value in _rows(parameter, resource):
            name = scope(store, resource_type, parameter.code + suffix)
            by_table.setdefault(TABLES[of_type].name, []).append((name, number, item, *value))


def _rows(
    parameter: SearchParameter, resource: Mapping[str, Any]
) -> Iterator[tuple[str, str, int, tuple[Any, ...]]]:
    """Yield suffix of the scope, type, number of the item, and columns of each value."""
    if parameter.code in _FULL_TEXT:
        part = _FULL_TEXT[parameter.code]
        if found := values.words(resource.get(part) if part else resource):
            yield "", "string", 0, values.Text(found, "")
    elif parameter.type == "composite":
        yield from _composite_rows(parameter, resource)
    else:
        for value in _values(parameter.type, parameter.paths, resource, resource):
            yield "", parameter.type, 0, value


def _composite_rows(
    parameter: SearchParameter, resource: Mapping[str, Any]
) -> Iterator[tuple[str, str, int, tuple[Any, ...]]]:
    bases = [base for path in parameter.paths for base, _ in nodes(resource, path)]
    for item, base in enumerate(bases if parameter.paths else [resource]):
        for number, component in enumerate(parameter.components):
            for value in _values(component.type, component.paths, base, resource):
                yield component_scope("", number), component.type, item, value


def _values(
    of_type: str, paths: Sequence[Path], start: Any, resource: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield each value once."""
    found: dict[tuple[Any, ...], None] = {}
    for path in paths:
        at = [*nodes(resource if path.from_root else start, path)]
        if path.is_existence:
            at = [(any(value is not False for value, _ in at), "boolean")]
        for node in at:
            for value in TABLES[of_type].extract(node):
                if not path.target or value[0] == path.target:
                    found[value] = None
    yield from found
