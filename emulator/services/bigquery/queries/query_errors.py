"""Errors of queries in BigQuery's words: bqemulator passes on those of DuckDB.

Observed: `Unrecognized name: NAME at [LINE:COLUMN]`, `SELECT list expression references column NAME
which is neither grouped nor aggregated at [LINE:COLUMN]`, `No matching signature for operator OP
for argument types: TYPES.` and `Not found: Table PROJECT:DATASET.TABLE`, with a colon.
"""

import re
from collections.abc import Callable

LocationOf = Callable[[str, str], str]
"""Returns the location of a dataset, by project and id; `US` for one that does not exist."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TABLE = re.compile(r"\b(Table|Dataset) ([\w-]+)\.(?=[\w-]+)")
_LOCATION = re.compile(r"Table ([\w-]+):([\w-]+)(\.[\w-]+) was not found in location US\b")
_DUCKDB = re.compile(r"^(?:Query execution failed: )?(?:\w+ Error: )(.*)", re.DOTALL)
_LINE = re.compile(r"\n+LINE (\d+): (.*)\n( *)\^\s*$", re.DOTALL)
_BACKEND_TABLE = re.compile(r'"([a-z][\w-]*?)__(\w+)"\."?(\w+)"?')
_UNKNOWN_NAME = re.compile(r'Referenced (?:column|table) "([^"]+)" not found')
_UNGROUPED = re.compile(r'column "?([^"]+?)"? must appear in the GROUP BY clause')
_SIGNATURE = re.compile(r"No function matches the given name and argument types '(.+?)\((.*?)\)'")
_TYPES = {
    "BIGINT": "INT64", "BLOB": "BYTES", "BOOLEAN": "BOOL", "DOUBLE": "FLOAT64",
    "INTEGER": "INT64", "INTEGER_LITERAL": "INT64", "STRING_LITERAL": "STRING",
    "TIMESTAMP": "DATETIME", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP", "VARCHAR": "STRING",
}  # fmt: skip


def worded(text: str, location_of: LocationOf) -> str:
    """Return the message of an error as BigQuery has it.

    Args:
        text: as bqemulator answers it
        location_of: where a query that names a dataset runs; bqemulator says `US` of each
    """

    def located(match: re.Match[str]) -> str:
        project, dataset, table = match.groups()
        location = location_of(project, dataset)
        return f"Table {project}:{dataset}{table} was not found in location {location}"

    plain = _COLOUR.sub("", text)
    if match := _DUCKDB.match(plain):
        return _of_duckdb(match[1])
    return _LOCATION.sub(located, _TABLE.sub(r"\1 \2:", plain))


def _of_duckdb(text: str) -> str:
    message = _LINE.sub("", text)
    where = _position(text)
    if match := _UNKNOWN_NAME.search(message):
        return f"Unrecognized name: {match[1]}{where}"
    if match := _UNGROUPED.search(message):
        return (
            f"SELECT list expression references column {match[1]} which is neither grouped nor"
            f" aggregated{where}"
        )
    if match := _SIGNATURE.search(message):
        types = ", ".join(_TYPES.get(each, each) for each in match[2].split(", "))
        sort = "function" if match[1].isidentifier() else "operator"
        return f"No matching signature for {sort} {match[1]} for argument types: {types}."
    return _BACKEND_TABLE.sub(r"\1.\2.\3", message.partition("\n")[0]) + where


def _position(text: str) -> str:
    """Return ` at [LINE:COLUMN]`; nothing where a rewritten name stands before it on its line."""
    match = _LINE.search(text)
    if match is None:
        return ""
    line, content, indent = match.groups()
    column = len(indent) - len(f"LINE {line}: ")
    before = content[:column]
    return "" if "__" in before or content.startswith("...") else f" at [{line}:{column + 1}]"
