"""The logical size of a table, `numBytes`, which bqemulator does not know.

Documented: https://cloud.google.com/bigquery/pricing#data (bytes of each type; a null has none).
"""

import logging
from collections.abc import Mapping, Sequence
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
    """Sizes of tables, each worked out once for a version of its contents."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[Key, str] = {}

    def of(self, table: Json) -> str:
        """Return the size of a table in bytes.

        Args:
            table: as bqemulator answers it, with its schema
        """
        fields = table.get("schema", {}).get("fields", [])
        rows = table.get("numRows", "0")
        if table.get("type") != "TABLE" or rows == "0" or not fields:
            return "0"
        reference = table["tableReference"]
        name = ".".join(reference[part] for part in ("projectId", "datasetId", "tableId"))
        key = (name, str(table.get("lastModifiedTime")), str(rows))
        if key not in self._known:
            while len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = self._measured(reference["projectId"], name, fields)
        return self._known[key]

    def _measured(self, project: str, name: str, fields: Sequence[Json]) -> str:
        statement = f"SELECT SUM({row_size(fields)}) AS size FROM `{name}`"  # noqa: S608 - names
        try:
            [[size]] = self._backend.query(project, statement)
        except ApiError as error:
            LOG.warning("the size of %s is not known: %s", name, error.message)
            return "0"
        return str(size or 0)


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
