"""The tables of a bqemulator that was killed as it made one."""

from pathlib import Path

import duckdb
import pytest

from emulator.bigquery import leftovers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables as a kill left them: one is known to the catalog, of two it has no entry."""
    with duckdb.connect(str(tmp_path / leftovers.FILE)) as database:
        database.execute(
            'CREATE SCHEMA "_bqemulator_catalog";'
            'CREATE TABLE "_bqemulator_catalog"."tables"'
            " (project_id VARCHAR, dataset_id VARCHAR, table_id VARCHAR);"
            'CREATE SCHEMA "my-project__d";'
            """INSERT INTO "_bqemulator_catalog"."tables" VALUES ('my-project', 'd', 'known');"""
            'CREATE TABLE "my-project__d".known (a INT);'
            'CREATE TABLE "my-project__d".half (a INT);'
            'CREATE TABLE "my-project__d".filled AS SELECT 1 AS a;'
        )
    return tmp_path


def test_a_table_that_was_only_begun_goes(folder: Path) -> None:
    leftovers.mend(folder)

    with duckdb.connect(str(folder / leftovers.FILE)) as database:
        found = database.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'my-project__d'"
        ).fetchall()
    assert sorted(found) == [("filled",), ("known",)]


def test_where_nothing_was_made_there_is_nothing_to_mend(tmp_path: Path) -> None:
    leftovers.mend(tmp_path)
    duckdb.connect(str(tmp_path / leftovers.FILE)).close()
    leftovers.mend(tmp_path)

    with duckdb.connect(str(tmp_path / leftovers.FILE)) as database:
        assert database.execute("SELECT * FROM duckdb_tables()").fetchall() == []


def test_a_file_that_is_in_use_or_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / leftovers.FILE).write_bytes(b"no database" * 1000)

    with pytest.raises(OSError, match=leftovers.FILE):
        leftovers.mend(tmp_path)
