"""The rows that tables had before exports, which show after a crash whether a load job ended."""

from collections.abc import Callable

from emulator.core.database import Database


def rows_before(database: Database, load: str, count: Callable[[], int]) -> int:
    """Return the number of a table's rows before a load job, counted at its first start.

    A load job adds all of its rows or none: a table with another number of rows has them.

    Args:
        database: keeps the number; the table has its name from the exports of DICOM stores
        load: the full name of the operation, and what names one of its load jobs
        count: counts the rows; called once in the life of the operation
    """
    with database.read() as connection:
        known = connection.execute(
            "SELECT rows_before FROM dicom_exports WHERE operation = ?", (load,)
        ).fetchone()
    if known:
        return int(known["rows_before"])
    counted = count()
    with database.write() as connection:
        connection.execute("INSERT INTO dicom_exports VALUES (?, ?)", (load, counted))
    return counted
