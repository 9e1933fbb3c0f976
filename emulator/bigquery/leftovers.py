"""What bqemulator leaves behind when it is killed as it makes a table.

It makes a table in DuckDB first and enters it in its catalog afterwards. A table that only DuckDB
knows can't be seen, and can't be made again either: every load into it would fail.
"""

import logging
from pathlib import Path

import duckdb

LOG = logging.getLogger(__name__)
FILE = "bqemulator.duckdb"
_UNKNOWN = """
SELECT schema_name, table_name FROM duckdb_tables()
WHERE NOT internal AND schema_name LIKE '%\\_\\_%' ESCAPE '\\'
AND schema_name || '.' || table_name NOT IN (
    SELECT project_id || '__' || dataset_id || '.' || table_id
    FROM "_bqemulator_catalog"."tables"
)
"""


def mend(folder: Path) -> None:
    """Drop the empty tables that only DuckDB knows; for the moment before bqemulator starts.

    Args:
        folder: its `--data-dir`.

    Raises:
        OSError: the folder can't be read or written.
    """
    if not (folder / FILE).exists():
        return
    try:
        with duckdb.connect(str(folder / FILE)) as database:
            for schema, table in database.execute(_UNKNOWN).fetchall():
                _drop_empty(database, f'"{schema}"."{table}"')
    except duckdb.IOException as error:
        raise OSError(f"{folder / FILE} can't be opened: {error}") from error
    except duckdb.CatalogException:
        return  # killed before it had a catalog, so before it had a table


def _drop_empty(database: duckdb.DuckDBPyConnection, name: str) -> None:
    # Rows come after the entry in the catalog: a table with rows was made in another way.
    if database.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None:  # noqa: S608
        LOG.warning("the making of a table was interrupted: it is undone")
        database.execute(f"DROP TABLE {name}")
