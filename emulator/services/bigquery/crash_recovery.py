"""What bqemulator leaves behind when it is killed as it makes a table, or fills one.

It makes a table in DuckDB first and enters it in its catalog afterwards. A table that only DuckDB
knows can't be seen, and can't be made again either: every load into it would fail.

So it is with the number of rows: those of a load whose number was not noted are there, and the
table is said to be empty. An export that goes on after the kill would be refused, or come twice.
"""

import json
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
_COUNTED = """
SELECT project_id, dataset_id, table_id, schema_name, num_rows, metadata_json
FROM "_bqemulator_catalog"."tables" JOIN duckdb_tables()
ON schema_name = project_id || '__' || dataset_id AND table_name = table_id
"""
_COUNT = """
UPDATE "_bqemulator_catalog"."tables" SET num_rows = ?, metadata_json = ?
WHERE project_id = ? AND dataset_id = ? AND table_id = ?
"""


def mend(folder: Path) -> None:
    """Have the catalog say what DuckDB has; for the moment before bqemulator starts.

    Empty tables that only DuckDB knows go, and rows are counted anew.

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
                _drop_empty(database, _quoted(schema, table))
            _count(database)
    except duckdb.IOException as error:
        raise OSError(f"{folder / FILE} can't be opened: {error}") from error
    except duckdb.CatalogException:
        return  # killed before it had a catalog, so before it had a table


def _drop_empty(database: duckdb.DuckDBPyConnection, name: str) -> None:
    # Rows come after the entry in the catalog: a table with rows was made in another way.
    if database.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None:  # noqa: S608
        LOG.warning("the making of a table was interrupted: it is undone")
        database.execute(f"DROP TABLE {name}")


def _count(database: duckdb.DuckDBPyConnection) -> None:
    """Note how many rows each table has, where the catalog says otherwise."""
    for *names, schema, noted, kept in database.execute(_COUNTED).fetchall():
        statement = f"SELECT COUNT(*) FROM {_quoted(schema, names[-1])}"  # noqa: S608
        [(rows,)] = database.execute(statement).fetchall()
        if rows != noted:
            LOG.warning("how many rows a table has was not noted: they are counted")
            told = json.dumps({**json.loads(kept), "num_rows": rows})
            database.execute(_COUNT, [rows, told, *names])


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
