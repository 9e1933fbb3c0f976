"""The logical size of a table, and of its columns, which bqemulator does not know.

Documented: https://cloud.google.com/bigquery/pricing#data (bytes of each type; a null has none).
"""

import logging
from collections.abc import Container, Mapping, Sequence
from typing import Any

from emulator.core.errors import ApiError
from emulator.services.bigquery.backend import Backend

LOG = logging.getLogger(__name__)
_BYTES = {
    "BIGNUMERIC": 32, "BOOL": 1, "BOOLEAN": 1, "DATE": 8, "DATETIME": 8, "FLOAT": 8, "FLOAT64": 8,
    "INT64": 8, "INTEGER": 8, "INTERVAL": 16, "NUMERIC": 16, "TIME": 8, "TIMESTAMP": 8,
}  # fmt: skip
_RECORDS = ("RECORD", "STRUCT")
_LENGTH_BYTES = 2
"""Of a STRING, BYTES or JSON value, beside its contents."""
MAX_KNOWN = 1000

Json = Mapping[str, Any]
Key = tuple[str, str, str]


class TableSizes:
    """Sizes of columns, each worked out once for a version of its table."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[Key, dict[str, int]] = {}

    def of(self, table: Json) -> str:
        """Return the size of a table in bytes.

        Args:
            table: as bqemulator answers it, with its schema
        """
        return str(self.of_columns(table, None))

    def of_columns(self, table: Json, columns: Container[str] | None) -> int:
        """Return the size of some columns of a table in bytes.

        Args:
            table: as bqemulator answers it, with its schema
            columns: their names in lower case; None for all
        """
        rows = table.get("numRows", "0")
        if table.get("type") != "TABLE" or rows == "0":
            return 0
        fields = [
            field
            for field in table.get("schema", {}).get("fields", [])
            if columns is None or field["name"].lower() in columns
        ]
        reference = table["tableReference"]
        name = ".".join(reference[part] for part in ("projectId", "datasetId", "tableId"))
        key = (name, str(table.get("lastModifiedTime")), str(rows))
        if key not in self._known:
            while len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
        known = self._known.setdefault(key, {})
        if missing := [field for field in fields if field["name"] not in known]:
            known |= self._measured(reference["projectId"], name, missing)
        return sum(known.get(field["name"], 0) for field in fields)

    def _measured(self, project: str, name: str, fields: Sequence[Json]) -> dict[str, int]:
        sums = ", ".join(
            f"SUM({row_size([field])}) AS size{number}" for number, field in enumerate(fields)
        )
        try:
            [sizes] = self._backend.query(project, f"SELECT {sums} FROM `{name}`")  # noqa: S608
        except ApiError as error:
            LOG.warning("the size of %s is not known: %s", name, error.message)
            return {}
        return {field["name"]: int(size or 0) for field, size in zip(fields, sizes, strict=True)}


def row_size(fields: Sequence[Json], prefix: str = "", depth: int = 0) -> str:
    """Return an SQL expression for the size of a row, or of a record in it, in bytes.

    Args:
        fields: of the schema
        prefix: of the record, with a dot at its end; empty for a row
        depth: how many lists the record stands in
    """
    return " + ".join(_field_size(field, prefix, depth) for field in fields) or "0"


def _field_size(field: Json, prefix: str, depth: int) -> str:
    name = f"{prefix}`{field['name']}`"
    if field.get("mode") == "REPEATED":
        item = f"item{depth}"
        size = _value_size(field, item, depth + 1)
        return f"COALESCE((SELECT SUM({size}) FROM UNNEST({name}) AS {item}), 0)"  # noqa: S608
    return _value_size(field, name, depth)


def _value_size(field: Json, value: str, depth: int) -> str:
    type_ = field["type"]
    if type_ in _RECORDS:
        return row_size(field["fields"], f"{value}.", depth)
    if type_ in _BYTES:
        return f"IF({value} IS NULL, 0, {_BYTES[type_]})"
    text = f"TO_JSON_STRING({value})" if type_ == "JSON" else value
    if type_ in ("GEOGRAPHY", "RANGE"):
        return "0"
    return f"COALESCE({_LENGTH_BYTES} + BYTE_LENGTH({text}), 0)"
