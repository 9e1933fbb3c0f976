"""Names of nested columns, quoted for DuckDB."""

from typing import Any

import duckdb
import pytest
from bqemulator.storage import type_map

from emulator.services.bigquery import nested_names


def test_a_nested_column_may_be_called_by_a_reserved_word(monkeypatch: pytest.MonkeyPatch) -> None:
    fields: list[dict[str, Any]] = [
        {
            "name": "period",
            "type": "RECORD",
            "fields": [
                {"name": "end", "type": "STRING"},
                {
                    "name": "order",
                    "type": "RECORD",
                    "mode": "REPEATED",
                    "fields": [{"name": "select", "type": "STRING"}],
                },
            ],
        }
    ]
    convert = nested_names.quoting(type_map.bq_schema_to_duckdb_columns)
    monkeypatch.setattr(type_map, "bq_schema_to_duckdb_columns", convert)
    [(name, type_)] = convert(fields)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({name} {type_})")
        connection.execute("INSERT INTO t VALUES ({'end': 'a', 'order': [{'select': 'b'}]})")
        query = 'SELECT period."end", period."order"[1]."select" FROM t'
        assert connection.execute(query).fetchall() == [("a", "b")]
