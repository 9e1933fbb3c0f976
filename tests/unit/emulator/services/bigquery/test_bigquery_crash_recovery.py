"""The tables of a bqemulator that was killed as it made one."""

import json
from pathlib import Path

import duckdb
import pytest

from emulator.services.bigquery import crash_recovery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables as a kill left them: one is known to the catalog, of two it has no entry."""
    with duckdb.connect(str(tmp_path / crash_recovery.FILE)) as database:
        database.execute(
            'CREATE SCHEMA "_bqemulator_catalog";'
            'CREATE TABLE "_bqemulator_catalog"."tables"'
            " (project_id VARCHAR, dataset_id VARCHAR, table_id VARCHAR, table_type VARCHAR,"
            " metadata_json VARCHAR, num_rows BIGINT);"
            'CREATE SCHEMA "my-project__d";'
        )
        for table, table_type, rows in (
            ("known", "TABLE", 0),
            ("gone", "TABLE", 7),
            ("seen", "VIEW", 0),
        ):
            meta = json.dumps({"table_id": table, "num_rows": rows})
            database.execute(
                'INSERT INTO "_bqemulator_catalog"."tables" VALUES (?, ?, ?, ?, ?, ?)',
                ["my-project", "d", table, table_type, meta, rows],
            )
        database.execute(
            'CREATE TABLE "my-project__d".known (a INT);'
            'CREATE TABLE "my-project__d".half (a INT);'
            'CREATE TABLE "my-project__d".filled AS SELECT 1 AS a;'
        )
    return tmp_path


def test_a_table_that_was_only_begun_goes(folder: Path) -> None:
    crash_recovery.recover(folder)

    with duckdb.connect(str(folder / crash_recovery.FILE)) as database:
        found = database.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'my-project__d'"
        ).fetchall()
    assert sorted(found) == [("filled",), ("known",)]


def test_rows_of_a_load_that_was_not_noted_are_counted(folder: Path) -> None:
    with duckdb.connect(str(folder / crash_recovery.FILE)) as database:
        database.execute('INSERT INTO "my-project__d".known VALUES (1), (2), (3)')

    crash_recovery.recover(folder)

    with duckdb.connect(str(folder / crash_recovery.FILE)) as database:
        found = database.execute(
            'SELECT table_id, num_rows, metadata_json FROM "_bqemulator_catalog"."tables"'
        ).fetchall()
    rows_of = {table: (rows, json.loads(meta)["num_rows"]) for table, rows, meta in found}
    # Nothing is known of a name without a table in DuckDB.
    assert rows_of == {"known": (3, 3), "gone": (7, 7), "seen": (0, 0)}


def test_where_nothing_was_made_there_is_nothing_to_repair(tmp_path: Path) -> None:
    crash_recovery.recover(tmp_path)
    duckdb.connect(str(tmp_path / crash_recovery.FILE)).close()
    crash_recovery.recover(tmp_path)

    with duckdb.connect(str(tmp_path / crash_recovery.FILE)) as database:
        assert database.execute("SELECT * FROM duckdb_tables()").fetchall() == []


def test_a_file_that_is_in_use_or_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / crash_recovery.FILE).write_bytes(b"no database" * 1000)

    with pytest.raises(OSError, match=crash_recovery.FILE):
        crash_recovery.recover(tmp_path)
