"""Names of nested columns, quoted for DuckDB.

bqemulator 1.4.0 writes the fields of a record into DuckDB's `STRUCT(...)` without quotes, so that a
field called by a reserved word, such as `end` in the periods of FHIR, is a syntax error.
"""

from collections.abc import Callable
from typing import Any

Field = dict[str, Any]
Columns = Callable[[list[Field]], list[tuple[str, str]]]


def quote_in_schemas() -> None:
    """Make bqemulator quote the fields of records. Called before its routes are imported."""
    from bqemulator.storage import type_map

    convert = quoting(type_map.bq_schema_to_duckdb_columns)
    type_map.bq_schema_to_duckdb_columns = convert  # type: ignore[assignment]


def quoting(convert: Columns) -> Columns:
    """Return bqemulator's conversion of a schema, which calls itself by its name for records.

    Args:
        convert: returns the names and DuckDB types of columns
    """

    def columns(fields: list[Field]) -> list[tuple[str, str]]:
        return convert([_quoted_below(field) for field in fields])

    return columns


def _quoted_below(field: Field) -> Field:
    below = field.get("fields")
    if not below:
        return field
    quoted = [{**each, "name": '"' + str(each["name"]).replace('"', '""') + '"'} for each in below]
    return {**field, "fields": quoted}
