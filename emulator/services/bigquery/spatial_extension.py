"""DuckDB's `spatial` extension, which bqemulator loads at each start.

DuckDB reads the whole file, 81 MB, to verify its signature each time that it loads it: that takes
0.36 s of a processor. Here a file that was verified is not verified again until it changes.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import platformdirs

LOG = logging.getLogger(__name__)
NAME = "spatial"


def load_in_all_connections() -> None:
    """Make `duckdb.connect` load the extension; bqemulator's own load then finds it loaded."""
    duckdb.connect = partial(connect, duckdb.connect, installed_file(), verified_file())


def connect(
    open_database: Callable[..., Any], extension: Path, verified: Path, path: str, **options: Any
) -> Any:
    """Open a database with the extension.

    Args:
        open_database: DuckDB's own function
        extension: the file of the extension
        verified: the file that says which file of the extension was verified
        path: of the database
        options: of DuckDB's function
    """
    stamp = _stamp(extension)
    if _read(verified) == stamp:
        unsigned = {"allow_unsigned_extensions": "true"}
        connection = open_database(path, config=unsigned, **options)
        connection.execute(f"LOAD {NAME}")
        connection.execute("SET allow_unsigned_extensions = false")  # no way back: DuckDB refuses
        return connection
    connection = open_database(path, **options)
    connection.execute(f"LOAD {NAME}")
    try:
        verified.parent.mkdir(parents=True, exist_ok=True)
        verified.write_text(stamp)
    except OSError as error:
        LOG.warning("each start verifies DuckDB's extension %s: %s", NAME, error)
    return connection


def installed_file() -> Path:
    """Return the file of the extension; install it if it is not: bqemulator would download it."""
    query = f"SELECT installed, install_path FROM duckdb_extensions() WHERE extension_name='{NAME}'"  # noqa: S608
    found = duckdb.sql(query).fetchone()
    if found is None or not found[0]:
        from duckdb_extensions import import_extension

        import_extension(NAME)
        found = duckdb.sql(query).fetchone()
    assert found
    return Path(found[1])


def verified_file() -> Path:
    """Return the file that says which file of the extension was verified."""
    return platformdirs.user_cache_path("gcp-healthcare-dicom") / "verified-extension"


def _stamp(extension: Path) -> str:
    status = extension.stat()
    return f"{extension} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _read(verified: Path) -> str:
    try:
        return verified.read_text()
    except OSError:  # none was verified so far
        return ""
