"""Group commit of instances: concurrent callers share one transaction.

An instance is acknowledged after its row is committed, and the row is committed after its file is
on the disk under its final name. A stored instance is replaced only by a file that says so, and its
file is deleted after the commit.

Inferred (conformance: import-mismatch-text): the reason of a mismatch. Inferred (conformance:
dicom-update-same, dicom-update-storage-class): an update with the same content changes nothing; a
replaced instance has the storage class of a new one, and keeps its own if only its metadata is
patched.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from sqlite3 import Connection, Row

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.resources.commit_group import CommitGroup
from emulator.services.healthcare.dicom.instances import other_values, patched
from emulator.services.healthcare.dicom.instances.blob_store import BlobStore
from emulator.services.healthcare.dicom.instances.changes import Action, Change, ChangeListener
from emulator.services.healthcare.dicom.instances.staged_file import ANY, StagedFile
from emulator.services.healthcare.dicom.parsing.parser import Record
from emulator.services.healthcare.dicom.resource_path import ResourcePath

_INSERT = """
INSERT INTO dicom_instances (
    id, store, study, series, sop, sop_class, transfer_syntax, sha256, size, frames,
    patient_id, patient_name, study_date, accession_number, referring_physician, modality,
    patient_name_folded, referring_physician_folded,
    study_attributes, series_attributes, instance_attributes, metadata,
    bigquery_row, bigquery_schema, storage_class, updated
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
MISMATCH = (
    "checksum mismatch: an instance with the same study, series and SOP instance UIDs and other "
    "content is already stored; stored instances are never overwritten"
)


_SCHEMA_CACHE_SIZE = 1 << 8


class StoreResult(Enum):
    """The result of storing one instance.

    A mismatch and a stale file are not stored: the file replaces none, or another one than the
    stored instance.
    """

    STORED = "stored"
    REPLACED = "replaced"
    IDENTICAL = "identical"
    MISMATCH = "mismatch"
    STALE = "stale"


REFUSED = frozenset({StoreResult.MISMATCH, StoreResult.STALE})


class StoreGoneError(Exception):
    """The DICOM store was deleted while something was being written to it."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One caller's batch; `operation` names the operation that patches the instances, if any."""

    store: str
    batch: Sequence[StagedFile]
    storage_class: str
    action: Action
    operation: str


@dataclass(slots=True)
class _Transaction:
    """The results and files of one transaction.

    Attributes:
        results: one list a request, one result a file
        taken: files that are blobs now; a rollback moves them back
        unused: staged files whose content is stored already
        replaced: names of the blobs of replaced instances
        has_listeners: whether the listener waits for the commit
    """

    results: list[list[StoreResult]] = field(default_factory=list)
    taken: list[StagedFile] = field(default_factory=list)
    unused: list[StagedFile] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    has_listeners: bool = False


class GroupCommit:
    """Add instances to stores; concurrent calls share one commit.

    Args:
        database: holds the index
        blobs: hold the files
        lock: held while names, rows and removals change
        store_exists: whether a DICOM store with this full resource name exists
        listener: learns of each new instance, in the transaction
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        lock: threading.Lock,
        store_exists: Callable[[str], bool],
        listener: ChangeListener,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._store_exists = store_exists
        self._listener = listener
        self._group = CommitGroup(lock, self._commit)

    def add(
        self,
        store: str,
        batch: Sequence[StagedFile],
        storage_class: str,
        action: Action,
        operation: str,
    ) -> list[StoreResult]:
        """Store instances in one transaction; the staged files are moved or deleted.

        Requests that arrive while another transaction is being committed share the next one. A
        request fails for its own errors only.

        Raises:
            StoreGoneError: the store does not exist any more
        """
        return self._group.add(_Request(store, batch, storage_class, action, operation))

    def _commit(self, requests: Sequence[_Request]) -> list[list[StoreResult]]:
        """Commit requests in one transaction; change no request."""
        transaction = _Transaction()
        try:
            with self._database.write() as connection:
                for request in requests:
                    self._add_all(connection, request, transaction)
                if not all(file.is_named for file in transaction.taken):
                    self._blobs.fsync_dir()
                unused = [name for name in transaction.replaced if not is_used(connection, name)]
        except BaseException:
            for file in transaction.taken:
                self._blobs.rollback(file.path, file.record.sha256)
            raise
        for file in transaction.unused:
            file.path.unlink(missing_ok=True)
        self._blobs.remove(unused)
        if transaction.has_listeners:
            self._listener.wake()
        return transaction.results

    def _add_all(
        self, connection: Connection, request: _Request, transaction: _Transaction
    ) -> None:
        if not self._store_exists(request.store):
            raise StoreGoneError(f"The DICOM store {request.store} is gone.")
        changes: list[Change] = []
        results = [
            self._add_one(connection, request, file, transaction, changes) for file in request.batch
        ]
        transaction.results.append(results)
        if request.operation:
            done = [
                (file.record.series_uid, file.record.sop_uid)
                for file, result in zip(request.batch, results, strict=True)
                if result not in REFUSED
            ]
            patched.add(connection, request.operation, done)
        transaction.has_listeners |= self._listener.add(
            connection, request.store, request.action, changes.copy
        )

    def _add_one(
        self,
        connection: Connection,
        request: _Request,
        file: StagedFile,
        transaction: _Transaction,
        changes: list[Change],
    ) -> StoreResult:
        """Add one row and commit its file; both are undone if the transaction fails."""
        record, store = file.record, request.store
        where, uids = ResourcePath(
            store, record.study_uid, record.series_uid, record.sop_uid
        ).where_clause()
        known = connection.execute(
            f"SELECT id, sha256, storage_class FROM dicom_instances WHERE {where}",  # noqa: S608
            uids,
        ).fetchone()
        result = _result(file, known)
        if result not in (StoreResult.STORED, StoreResult.REPLACED):
            transaction.unused.append(file)
            return result
        taken = self._blobs.commit(file.path, record.sha256)
        (transaction.taken if taken else transaction.unused).append(file)
        storage_class, previous = request.storage_class, ""
        if known is not None:
            transaction.replaced.append(known["sha256"])
            if file.replaces != ANY:
                storage_class = known["storage_class"]
            if known["storage_class"] != storage_class:
                previous = known["storage_class"]
            connection.execute("DELETE FROM dicom_instances WHERE id = ?", [known["id"]])
        _insert(connection, known and known["id"], store, record, storage_class)
        changes.append(Change.of_record(record, storage_class, previous))
        return result


def _result(file: StagedFile, known: Row | None) -> StoreResult:
    """Return the result of storing a file where an instance with its UIDs may be stored."""
    if known is None:
        return StoreResult.STORED if file.replaces in ("", ANY) else StoreResult.STALE
    if known["sha256"] == file.record.sha256:
        return StoreResult.IDENTICAL
    if not file.replaces:
        return StoreResult.MISMATCH
    return StoreResult.REPLACED if file.replaces in (ANY, known["sha256"]) else StoreResult.STALE


def _insert(
    connection: Connection, id_: int | None, store: str, record: Record, storage_class: str
) -> None:
    """Add the row of an instance: of a new one, or under the id of the one that it replaces."""
    schema = schema_key(record.schema)
    connection.execute("INSERT OR IGNORE INTO dicom_schemas VALUES (?, ?)", (schema, record.schema))
    added = connection.execute(_INSERT, (id_, *_columns(store, record, schema, storage_class)))
    if record.other_values and added.lastrowid is not None:
        other_values.add(connection, added.lastrowid, store, record.other_values)


def is_used(connection: Connection, sha256: str) -> bool:
    """Whether any instance has a file."""
    row = connection.execute(
        "SELECT 1 FROM dicom_instances WHERE sha256 = ? LIMIT 1", [sha256]
    ).fetchone()
    return row is not None


def _columns(store: str, record: Record, schema: str, storage_class: str) -> tuple[object, ...]:
    return (
        store,
        record.study_uid,
        record.series_uid,
        record.sop_uid,
        record.sop_class,
        record.transfer_syntax,
        record.sha256,
        record.size,
        record.frames,
        record.patient_id,
        record.patient_name,
        record.study_date,
        record.accession_number,
        record.referring_physician,
        record.modality,
        record.patient_name_folded,
        record.referring_physician_folded,
        record.study,
        record.series,
        record.instance,
        record.metadata,
        record.row,
        schema,
        storage_class,
        timestamps.now(),
    )


@lru_cache(_SCHEMA_CACHE_SIZE)
def schema_key(schema: str) -> str:
    """Return the key of a schema's text."""
    return sha256(schema.encode()).hexdigest()
