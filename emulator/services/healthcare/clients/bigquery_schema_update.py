"""Changes of a BigQuery table's schema for rows with further columns.

https://cloud.google.com/bigquery/docs/managing-table-schemas
"""

from collections.abc import Iterator
from typing import Any

from emulator.services.bigquery.sql_types import sql_type

Field = dict[str, Any]
"""BigQuery's TableFieldSchema: `name`, `type`, `mode`, and the `fields` of a RECORD."""


def merge_fields(known: list[Field], further: list[Field]) -> list[Field]:
    """Add fields to those of a table, at every depth; existing ones stay as they are."""
    wanted = {field["name"]: field for field in further}
    fields = []
    for field in known:
        inner = wanted.pop(field["name"], {}).get("fields")
        both = (
            {"fields": merge_fields(field["fields"], inner)} if inner and "fields" in field else {}
        )
        fields.append(field | both)
    return [*fields, *wanted.values()]


def changes(known: list[Field], wider: list[Field]) -> Iterator[str]:
    """Return the clauses of ALTER TABLE that add the columns; each may be repeated."""
    existing = {field["name"]: field for field in known}
    for field in wider:
        name, column_type = f"`{field['name']}`", sql_type(field)
        if field["name"] not in existing:
            yield f"ADD COLUMN IF NOT EXISTS {name} {column_type}"
        elif field != existing[field["name"]]:
            yield f"ALTER COLUMN {name} SET DATA TYPE {column_type}"
