"""Recovery of bqemulator's state after a kill while it creates or fills a table.

bqemulator creates a table in DuckDB first and adds it to its catalog afterwards. A table that only
DuckDB has is invisible and can't be created again: every load into it would fail.

The number of rows is stored late, too: after a kill during a load, the rows exist and the catalog
reports an empty table. A resumed export would be refused, or load its rows twice.
"""

import json
import logging
from pathlib import Path
from typing import Any

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


def recover(folder: Path) -> None:
    """Make the catalog agree with DuckDB. Call before bqemulator starts.

    It deletes empty tables that only DuckDB has, and counts rows again.

    Args:
        folder: its `--data-dir`.

    Raises:
        OSError: the folder can't be read or written.
    """
    if not (folder / FILE).exists():
        return
    import duckdb  # in the thread that starts bqemulator, not before the server listens

    try:
        with duckdb.connect(str(folder / FILE)) as database:
            for schema, table in database.execute(_UNKNOWN).fetchall():
                _drop_empty(database, _quoted(schema, table))
            _count(database)
    except duckdb.IOException as error:
        raise OSError(f"{folder / FILE} can't be opened: {error}") from error
    except duckdb.CatalogException:
        return  # killed before it had a catalog, so before it had a table


def _drop_empty(database: Any, name: str) -> None:
    # Rows come after the entry in the catalog: a table with rows was made in another way.
    if database.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None:  # noqa: S608
        LOG.warning("the making of a table was interrupted: it is undone")
        database.execute(f"DROP TABLE {name}")


def _count(database: Any) -> None:
    """Note how many rows each table has, where the catalog says otherwise."""
    for *names, schema, noted, kept in database.execute(_COUNTED).fetchall():
        statement = f"SELECT COUNT(*) FROM {_quoted(schema, names[-1])}"  # noqa: S608
        [(rows,)] = database.execute(statement).fetchall()
        if rows != noted:
            LOG.warning("how many rows a table has was not noted: they are counted")
            changed = json.dumps({**json.loads(kept), "num_rows": rows})
            database.execute(_COUNT, [rows, changed, *names])


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
