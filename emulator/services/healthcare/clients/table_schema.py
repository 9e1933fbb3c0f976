"""Schemas of BigQuery tables.

A schema is a plain dict, name to column, so that it travels as JSON: a column has `type`, `mode`
and, if it is a RECORD, `fields` (a schema again).
"""

from typing import Any

Schema = dict[str, dict[str, Any]]

STRING = "STRING"
INTEGER = "INTEGER"
TIMESTAMP = "TIMESTAMP"
RECORD = "RECORD"
NULLABLE = "NULLABLE"
REPEATED = "REPEATED"


def field(column_type: str, mode: str = NULLABLE, fields: Schema | None = None) -> dict[str, Any]:
    """Return a column."""
    column: dict[str, Any] = {"type": column_type, "mode": mode}
    if fields is not None:
        column["fields"] = fields
    return column


def merge(into: Schema, other: Schema) -> None:
    """Add the columns of another schema, at every depth."""
    for name, column in other.items():
        known = into.get(name)
        if known is None:
            into[name] = {**column}
            if "fields" in column:
                into[name]["fields"] = {}
                merge(into[name]["fields"], column["fields"])
        elif "fields" in column:
            merge(known["fields"], column["fields"])


def to_api(schema: Schema) -> list[dict[str, Any]]:
    """Return the schema as BigQuery's `TableSchema.fields`, in the order of the names.

    A RECORD without a field (a sequence that is empty everywhere) is left out: BigQuery knows none.
    """
    fields = []
    for name, column in sorted(schema.items()):
        entry = {"name": name, "type": column["type"], "mode": column["mode"]}
        if column["type"] == RECORD:
            entry["fields"] = to_api(column["fields"])
            if not entry["fields"]:
                continue
        fields.append(entry)
    return fields
