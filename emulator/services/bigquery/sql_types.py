"""Columns as SQL writes them."""

from collections.abc import Mapping
from typing import Any

_STANDARD = {
    "BOOLEAN": "BOOL",
    "FLOAT": "FLOAT64",
    "INTEGER": "INT64",
}
"""Names of types of the REST API that SQL calls otherwise."""


def sql_type(field: Mapping[str, Any]) -> str:
    """Return the type of a column of a schema, such as `ARRAY<STRUCT<a INT64>>`.

    Args:
        field: a TableFieldSchema
    """
    column_type = str(field.get("type", "STRING")).upper()
    if column_type in {"RECORD", "STRUCT"}:
        inner = ", ".join(f"`{one['name']}` {sql_type(one)}" for one in field.get("fields", []))
        column_type = f"STRUCT<{inner}>"
    column_type = _STANDARD.get(column_type, column_type)
    return f"ARRAY<{column_type}>" if field.get("mode") == "REPEATED" else column_type
