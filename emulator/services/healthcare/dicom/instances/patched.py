"""The instances that a running operation has patched.

They are recorded in the transaction that replaces them: an operation that is resumed after a crash
leaves them out, as a patch that is applied twice is another patch.
"""

from collections.abc import Iterable
from sqlite3 import Connection

SCHEMA = """
CREATE TABLE dicom_patched (
    operation TEXT NOT NULL,
    series TEXT NOT NULL,
    sop TEXT NOT NULL,
    PRIMARY KEY (operation, series, sop)
) WITHOUT ROWID;
"""


def add(connection: Connection, operation: str, uids: Iterable[tuple[str, str]]) -> None:
    """Record the series and SOP instance UIDs of patched instances of one study."""
    connection.executemany(
        "INSERT OR IGNORE INTO dicom_patched VALUES (?, ?, ?)",
        [(operation, series, sop) for series, sop in uids],
    )


def find(connection: Connection, operation: str) -> set[tuple[str, str]]:
    """Return the series and SOP instance UIDs that an operation has patched."""
    rows = connection.execute(
        "SELECT series, sop FROM dicom_patched WHERE operation = ?", [operation]
    )
    return {(row["series"], row["sop"]) for row in rows}


def forget_ended(connection: Connection) -> None:
    """Delete the records of operations that have ended, well or not.

    A run can't delete its own: a crash before its result is written would resume it without them.
    """
    connection.execute(
        "DELETE FROM dicom_patched"
        " WHERE operation NOT IN (SELECT name FROM operations WHERE ended IS NULL)"
    )
