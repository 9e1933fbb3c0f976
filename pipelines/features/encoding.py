"""Rows as files that BigQuery loads."""

import io
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pipelines.common.rows import NDJSON, Row, to_ndjson
from pipelines.features.extraction import COLUMNS

FORMATS = ("ndjson", "parquet")
MEDIA_TYPES = {"ndjson": NDJSON, "parquet": "application/vnd.apache.parquet"}


def encoder(format_: str) -> Callable[[list[Row]], bytes]:
    """Return what makes a file of rows."""
    return to_parquet if format_ == "parquet" else to_ndjson


def to_parquet(rows: list[Row]) -> bytes:
    """Return rows as a Parquet file."""
    # pyarrow takes half a second to import, and the other format does not need it.
    import pyarrow as pa
    from pyarrow import parquet

    types: Mapping[str, Any] = {
        "STRING": pa.string(),
        "DATE": pa.date32(),
        "INT64": pa.int64(),
        "FLOAT64": pa.float64(),
    }
    schema = pa.schema([(name, types[type_]) for name, type_ in COLUMNS.items()])
    table = pa.Table.from_pylist([_with_dates(row) for row in rows], schema=schema)
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def _with_dates(row: Row) -> Row:
    day = row["study_date"]
    return {**row, "study_date": date.fromisoformat(day) if day else None}
