"""What has to be done to a BigQuery table so that it takes rows with further columns.

https://cloud.google.com/bigquery/docs/managing-table-schemas
"""

from collections.abc import Iterator
from typing import Any

Field = dict[str, Any]
"""BigQuery's TableFieldSchema: `name`, `type`, `mode`, and the `fields` of a RECORD."""

_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64"}


def merged(known: list[Field], further: list[Field]) -> list[Field]:
    """Add fields to those of a table, at every depth; those that are there stay as they are."""
    wanted = {field["name"]: field for field in further}
    fields = []
    for field in known:
        inner = wanted.pop(field["name"], {}).get("fields")
        both = {"fields": merged(field["fields"], inner)} if inner and "fields" in field else {}
        fields.append(field | both)
    return [*fields, *wanted.values()]


def changes(known: list[Field], wider: list[Field]) -> Iterator[str]:
    """Give the clauses of ALTER TABLE that make the wider columns; each may be repeated."""
    there = {field["name"]: field for field in known}
    for field in wider:
        name, kind = f"`{field['name']}`", _type(field)
        if field["name"] not in there:
            yield f"ADD COLUMN IF NOT EXISTS {name} {kind}"
        elif field != there[field["name"]]:
            yield f"ALTER COLUMN {name} SET DATA TYPE {kind}"


def _type(field: Field) -> str:
    """Give a column's type as a statement names it."""
    kind = str(_NAMES.get(field["type"], field["type"]))
    if field["type"] == "RECORD":
        inner = ", ".join(f"`{one['name']}` {_type(one)}" for one in field["fields"])
        kind = f"STRUCT<{inner}>"
    return f"ARRAY<{kind}>" if field.get("mode") == "REPEATED" else kind
