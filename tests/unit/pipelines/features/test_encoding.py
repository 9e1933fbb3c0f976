"""Rows as Parquet, with the types of the table."""

import io

from pyarrow import parquet

from pipelines.features.encoding import encoder
from pipelines.features.extraction import COLUMNS, from_metadata


def test_parquet_has_the_columns_of_the_table() -> None:
    row = {**from_metadata({}), "study_date": "2024-01-31", "rows": 5}
    table = parquet.read_table(io.BytesIO(encoder("parquet")([row, from_metadata({})])))
    assert table.column_names == [*COLUMNS]
    assert table.column("rows").to_pylist() == [5, None]
    assert str(table.schema.field("study_date").type) == "date32[day]"


def test_ndjson_is_the_other_format() -> None:
    assert encoder("ndjson")([{"a": 1}]) == b'{"a": 1}\n'
