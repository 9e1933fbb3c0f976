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
    """The type of a column of a schema, such as `ARRAY<STRUCT<a INT64>>`.

    Args:
        field: A TableFieldSchema.
    """
    kind = str(field.get("type", "STRING")).upper()
    if kind in {"RECORD", "STRUCT"}:
        inner = ", ".join(f"`{one['name']}` {sql_type(one)}" for one in field.get("fields", []))
        kind = f"STRUCT<{inner}>"
    kind = _STANDARD.get(kind, kind)
    return f"ARRAY<{kind}>" if field.get("mode") == "REPEATED" else kind
