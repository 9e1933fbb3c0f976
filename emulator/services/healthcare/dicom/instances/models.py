"""The DICOM stores' contents: an index in SQLite, the bytes as files.

An instance is acknowledged when its row is committed, and the row is committed after its file is
on the disk under its final name. So a crash leaves at worst files without a row, and the next
start removes those.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from sqlite3 import Connection, Row

from emulator.core import timestamps
from emulator.core.conditions import fold
from emulator.core.database import Database
from emulator.services.healthcare.dicom.instances import reindexing
from emulator.services.healthcare.dicom.instances.blob_store import BlobStore
from emulator.services.healthcare.dicom.instances.changes import Action, Change, ChangeListener
from emulator.services.healthcare.dicom.instances.group_commit import (
    GroupCommit,
    StoreResult,
    is_used,
)
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from emulator.services.healthcare.dicom.resource_path import ResourcePath

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


def fold_names(connection: Connection) -> None:
    """Migrate the state: add the folded names, which searches compare with."""
    connection.create_function("fold", 1, fold, deterministic=True)
    for column in ("patient_name", "referring_physician"):
        connection.execute(
            f"ALTER TABLE dicom_instances ADD COLUMN {column}_folded TEXT NOT NULL DEFAULT ''"
        )
        connection.execute(f"UPDATE dicom_instances SET {column}_folded = fold({column})")  # noqa: S608 - two names of columns
        connection.execute(
            f"CREATE INDEX dicom_by_{column} ON dicom_instances (store, {column}_folded)"
        )


PAGE = 500
STANDARD = "STANDARD"
STORAGE_CLASSES = frozenset({STANDARD, "NEARLINE", "COLDLINE", "ARCHIVE"})


class InstanceStore:
    """All stores' instances.

    Args:
        database: holds the index
        folder: holds the files
        store_exists: whether a DICOM store with this full resource name exists
        listener: records each change of an instance
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        store_exists: Callable[[str], bool],
        listener: ChangeListener,
    ) -> None:
        self._database = database
        self._listener = listener
        # Held while blobs and rows change: no blob is deleted while a row for it is added.
        self._lock = threading.Lock()
        self.blobs = BlobStore(folder)
        reindexing.reindex(database, self.blobs)
        self._group_commit = GroupCommit(database, self.blobs, self._lock, store_exists, listener)

    def add(
        self,
        store: str,
        batch: Sequence[StagedFile],
        storage_class: str = STANDARD,
        action: Action = Action.STORED,
        operation: str = "",
    ) -> list[StoreResult]:
        """Store instances in one transaction; the staged files are moved or deleted.

        Args:
            store: full name of the DICOM store
            batch: new instances, or those that replace stored ones
            storage_class: of the files
            action: the name of the change
            operation: the operation that patches the instances; `patched.find` returns them

        Raises:
            StoreGoneError: the store does not exist any more
        """
        return self._group_commit.add(store, batch, storage_class, action, operation)

    def find(self, resource_path: ResourcePath, columns: str = "*") -> list[Row]:
        """Return the rows of all instances of a resource, in the order in which they were stored.

        Args:
            resource_path: a store or a part of it
            columns: names of columns, from this code only
        """
        where, parameters = resource_path.where_clause()
        return self.select(
            f"SELECT {columns} FROM dicom_instances WHERE {where} ORDER BY id",  # noqa: S608
            parameters,
        )

    def pages(self, resource_path: ResourcePath, columns: str) -> Iterator[list[Row]]:
        """Yield pages of the same rows; concurrent additions and deletions may be missed."""
        # By their ids: a search by place for each page would sort the whole store each time.
        ids = [row["id"] for row in self.find(resource_path, "id")]
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            marks = ",".join("?" * len(some))
            # The id of what was deleted may be another store's by now.
            yield self.select(
                f"SELECT id, {columns} FROM dicom_instances"  # noqa: S608 - our own columns
                f" WHERE id IN ({marks}) AND +store = ? ORDER BY id",
                [*some, resource_path.store],
            )

    def count(self, resource_path: ResourcePath) -> int:
        """Return the number of instances of a resource."""
        return int(self.find(resource_path, "COUNT(*) AS number")[0]["number"])

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query of this package."""
        with self._database.read() as connection:
            return list(connection.execute(statement, parameters))

    def snapshot(self) -> AbstractContextManager[None]:
        """Make all reads of this thread see one state of the database."""
        return self._database.snapshot()

    def delete(self, resource_path: ResourcePath) -> int:
        """Delete all instances of a resource, and the files that no other instance shares.

        Returns:
            The number of deleted instances
        """
        where, parameters = resource_path.where_clause()
        with self._lock:
            with self._database.write() as connection:
                self._listener.add(
                    connection,
                    resource_path.store,
                    Action.DELETED,
                    partial(_changes, connection, resource_path),
                )
                removed = connection.execute(
                    f"DELETE FROM dicom_instances WHERE {where} RETURNING sha256",  # noqa: S608
                    parameters,
                ).fetchall()
                names = {row["sha256"] for row in removed}
                unused = [name for name in names if not is_used(connection, name)]
            self.blobs.remove(unused)
        self._listener.wake()
        return len(removed)

    def delete_store(self, store: str) -> None:
        """Delete the instances of a store that is already deleted, so that no more are added."""
        self.delete(ResourcePath(store))

    def set_storage_class(self, resource_path: ResourcePath, storage_class: str) -> int:
        """Change the storage class of all instances of a resource.

        Returns:
            The number of instances
        """
        where, parameters = resource_path.where_clause()
        with self._database.write() as connection:
            self._listener.add(
                connection,
                resource_path.store,
                Action.STORAGE_CLASS_SET,
                partial(_changes, connection, resource_path, storage_class),
            )
            changed = connection.execute(
                f"UPDATE dicom_instances SET storage_class = ?, updated = ? WHERE {where}",  # noqa: S608
                [storage_class, timestamps.now(), *parameters],
            ).rowcount
        self._listener.wake()
        return changed

    def delete_orphans(self) -> int:
        """Delete the files that a crash left without a row; called before the first request.

        Files whose rename a power cut undid are committed again.

        Returns:
            The number of files without a row
        """
        with self._lock:
            with self._database.read() as connection:
                rows = connection.execute("SELECT DISTINCT sha256 FROM dicom_instances")
                used = {row["sha256"] for row in rows}
            self.blobs.recover(used - self.blobs.names())
            self.blobs.empty_staging()
            orphans = self.blobs.names() - used
            self.blobs.remove(orphans)
        return len(orphans)

    def schemas(self, store: str) -> list[str]:
        """Return the distinct BigQuery schemas, as JSON, that a store's instances need."""
        rows = self.select(
            "SELECT schema FROM dicom_schemas WHERE EXISTS (SELECT 1 FROM dicom_instances"
            " WHERE store = ? AND bigquery_schema = dicom_schemas.sha256) ORDER BY sha256",
            [store],
        )
        return [row["schema"] for row in rows]


def _changes(
    connection: Connection, resource_path: ResourcePath, storage_class: str = ""
) -> Iterator[Change]:
    """Yield the instances of a resource, before a change of their storage class or none."""
    where, parameters = resource_path.where_clause()
    rows = connection.execute(
        "SELECT study, series, sop, modality, bigquery_row, schema, size, storage_class"  # noqa: S608
        " FROM dicom_instances JOIN dicom_schemas ON dicom_schemas.sha256 = bigquery_schema"
        f" WHERE {where} ORDER BY id",
        parameters,
    )
    for row in rows:
        old = row["storage_class"]
        new = storage_class or old
        yield Change(
            row["study"],
            row["series"],
            row["sop"],
            row["modality"],
            row["bigquery_row"],
            row["schema"],
            row["size"],
            new,
            "" if new == old else old,
        )
