"""The DICOM stores' contents: an index in SQLite, the bytes as files.

An instance is acknowledged when its row is committed, and the row is committed after its file is
on the disk under its final name. So a crash leaves at worst files without a row, and the next
start removes those.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection, Row

from emulator.database import Database
from emulator.healthcare.dicom.additions import Additions, Incoming, Outcome
from emulator.healthcare.dicom.blobs import Blobs
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.dicom.streams import DELETED, Change, Streams

SCHEMA = """
CREATE TABLE IF NOT EXISTS dicom_instances (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    sop TEXT NOT NULL,
    sop_class TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    patient_id TEXT NOT NULL,
    patient_name TEXT NOT NULL,
    study_date TEXT NOT NULL,
    accession_number TEXT NOT NULL,
    referring_physician TEXT NOT NULL,
    modality TEXT NOT NULL,
    study_attributes TEXT NOT NULL,
    series_attributes TEXT NOT NULL,
    instance_attributes TEXT NOT NULL,
    metadata TEXT NOT NULL,
    bigquery_row TEXT NOT NULL,
    bigquery_schema TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS dicom_by_uids ON dicom_instances (store, study, series, sop);
CREATE INDEX IF NOT EXISTS dicom_by_sop ON dicom_instances (store, sop);
CREATE INDEX IF NOT EXISTS dicom_by_series ON dicom_instances (store, series);
CREATE INDEX IF NOT EXISTS dicom_by_patient ON dicom_instances (store, patient_id);
CREATE INDEX IF NOT EXISTS dicom_by_date ON dicom_instances (store, study_date);
CREATE INDEX IF NOT EXISTS dicom_by_accession ON dicom_instances (store, accession_number);
CREATE INDEX IF NOT EXISTS dicom_by_schema ON dicom_instances (store, bigquery_schema);
CREATE INDEX IF NOT EXISTS dicom_by_content ON dicom_instances (sha256);
CREATE TABLE IF NOT EXISTS dicom_schemas (sha256 TEXT PRIMARY KEY, schema TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dicom_exports (
    operation TEXT PRIMARY KEY,
    rows_before INTEGER NOT NULL
);
"""

PAGE = 500
STANDARD = "STANDARD"
STORAGE_CLASSES = frozenset({STANDARD, "NEARLINE", "COLDLINE", "ARCHIVE"})


class DicomContents:
    """All stores' instances.

    Args:
        database: holds the index.
        folder: holds the files.
        store_exists: tells whether a store's full resource name is one of a store.
        streams: get a row for each change of an instance.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        store_exists: Callable[[str], bool],
        streams: Streams,
    ) -> None:
        self._database = database
        self._streams = streams
        # Names, rows and removals change together: no blob goes while another row comes to it.
        self._lock = threading.Lock()
        self.blobs = Blobs(folder)
        self._additions = Additions(database, self.blobs, self._lock, store_exists, streams)
        database.apply(SCHEMA)

    def add(
        self, store: str, batch: Sequence[Incoming], storage_class: str = STANDARD
    ) -> list[Outcome]:
        """Store instances, all in one transaction; the incoming files are used up.

        Raises:
            StoreGoneError: there is no such store any more.
        """
        return self._additions.add(store, batch, storage_class)

    def find(self, place: Place, columns: str = "*") -> list[Row]:
        """Give the rows of all instances at a place, in the order of their arrival.

        Args:
            place: a store or a part of it.
            columns: names of columns, from this code only.
        """
        where, parameters = place.condition()
        return self.select(
            f"SELECT {columns} FROM dicom_instances WHERE {where} ORDER BY id",  # noqa: S608
            parameters,
        )

    def pages(self, place: Place, columns: str) -> Iterator[list[Row]]:
        """Give the same rows some at a time; what is added or deleted meanwhile is missed."""
        # By their ids: a search by place for each page would sort the whole store each time.
        ids = [row["id"] for row in self.find(place, "id")]
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            marks = ",".join("?" * len(some))
            # The id of what was deleted may be another store's by now.
            yield self.select(
                f"SELECT id, {columns} FROM dicom_instances"  # noqa: S608 - our own columns
                f" WHERE id IN ({marks}) AND +store = ? ORDER BY id",
                [*some, place.store],
            )

    def count(self, place: Place) -> int:
        """Count the instances at a place."""
        return int(self.find(place, "COUNT(*) AS number")[0]["number"])

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query of this package over `dicom_instances`."""
        with self._database.read() as connection:
            return list(connection.execute(statement, parameters))

    def snapshot(self) -> AbstractContextManager[None]:
        """Have all that this thread reads meanwhile be of one moment."""
        return self._database.snapshot()

    def delete(self, place: Place) -> int:
        """Delete all instances at a place, and the files that no other instance shares.

        Returns:
            How many instances there were.
        """
        where, parameters = place.condition()
        with self._lock:
            with self._database.write() as connection:
                self._streams.add(connection, place.store, _changes(connection, place), DELETED)
                removed = connection.execute(
                    f"DELETE FROM dicom_instances WHERE {where} RETURNING sha256",  # noqa: S608
                    parameters,
                ).fetchall()
                names = {row["sha256"] for row in removed}
                unused = [name for name in names if not _is_used(connection, name)]
            self.blobs.remove(unused)
        self._streams.wake()
        return len(removed)

    def delete_store(self, store: str) -> None:
        """Delete a store's contents. The store itself must be gone already, so that none come."""
        self.delete(Place(store))

    def set_storage_class(self, place: Place, storage_class: str) -> int:
        """Change the storage class of all instances at a place; returns their number."""
        where, parameters = place.condition()
        with self._database.write() as connection:
            changed = connection.execute(
                f"UPDATE dicom_instances SET storage_class = ? WHERE {where}",  # noqa: S608
                [storage_class, *parameters],
            ).rowcount
            self._streams.add(connection, place.store, _changes(connection, place))
        self._streams.wake()
        return changed

    def sweep(self) -> int:
        """Remove the files that a crash left without a row; for the start, before any request.

        Those that a power cut gave their first names back are taken over again.

        Returns:
            How many there were without a row.
        """
        with self._lock:
            with self._database.read() as connection:
                rows = connection.execute("SELECT DISTINCT sha256 FROM dicom_instances")
                used = {row["sha256"] for row in rows}
            self.blobs.take_back(used - self.blobs.names())
            self.blobs.empty_incoming()
            orphans = self.blobs.names() - used
            self.blobs.remove(orphans)
        return len(orphans)

    def schemas(self, store: str) -> list[str]:
        """Give the distinct BigQuery schemas, as JSON, that a store's instances need."""
        rows = self.select(
            "SELECT schema FROM dicom_schemas WHERE EXISTS (SELECT 1 FROM dicom_instances"
            " WHERE store = ? AND bigquery_schema = dicom_schemas.sha256) ORDER BY sha256",
            [store],
        )
        return [row["schema"] for row in rows]

    def rows_before(self, operation: str, count: Callable[[], int]) -> int:
        """Tell a table's rows before an export began, counted when it was first begun.

        Args:
            operation: name of the export's operation.
            count: counts them; called once in the operation's life.
        """
        known = self.select(
            "SELECT rows_before FROM dicom_exports WHERE operation = ?", [operation]
        )
        if known:
            return int(known[0]["rows_before"])
        counted = count()
        with self._database.write() as connection:
            connection.execute("INSERT INTO dicom_exports VALUES (?, ?)", (operation, counted))
        return counted


def _changes(connection: Connection, place: Place) -> Iterator[Change]:
    """Give the instances at a place as streams tell of them; read only if somebody asks."""
    where, parameters = place.condition()
    rows = connection.execute(
        "SELECT bigquery_row, schema, size, storage_class FROM dicom_instances"  # noqa: S608
        f" JOIN dicom_schemas ON dicom_schemas.sha256 = bigquery_schema WHERE {where}",
        parameters,
    )
    for row in rows:
        yield Change(row["bigquery_row"], row["schema"], row["size"], row["storage_class"])


def _is_used(connection: Connection, sha256: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM dicom_instances WHERE sha256 = ? LIMIT 1", [sha256]
    ).fetchone()
    return row is not None
