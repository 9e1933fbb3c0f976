"""Storing instances: several callers' in one transaction, none twice, none over another.

An instance is acknowledged when its row is committed, and the row is committed after its file is
on the disk under its final name.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection

from emulator.database import Database
from emulator.healthcare.dicom.blobs import Blobs
from emulator.healthcare.dicom.parsing import Record
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.dicom.streams import Change, Streams

_INSERT = """
INSERT INTO dicom_instances (
    store, study, series, sop, sop_class, transfer_syntax, sha256, size, frames,
    patient_id, patient_name, study_date, accession_number, referring_physician, modality,
    study_attributes, series_attributes, instance_attributes, metadata,
    bigquery_row, bigquery_schema, storage_class, updated
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
MISMATCH = (
    "checksum mismatch: an instance with the same study, series and SOP instance UIDs and other "
    "content is already stored; stored instances are never overwritten"
)


_SCHEMAS_REMEMBERED = 1 << 8
TROUBLE = (OSError, sqlite3.Error)
"""What the disk and the database raise."""


class Outcome(Enum):
    """What became of an instance that was to be stored."""

    STORED = "stored"
    IDENTICAL = "identical"
    MISMATCH = "mismatch"


class StoreGoneError(Exception):
    """The DICOM store was deleted while something was being written to it."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A parsed file in the incoming folder, its content settled on the disk.

    Attributes:
        record: what is known of it.
        path: the file.
        is_named: whether the disk holds its name too, as journaling file systems do of a new file
            that was synced: should its next name be lost in a power cut, this one is still there.
    """

    record: Record
    path: Path
    is_named: bool = False


@dataclass(slots=True)
class _Addition:
    """What a caller brings to be stored, and what became of it.

    Attributes:
        left: what was not taken over, since the store has it, or the same file, already.
    """

    store: str
    batch: Sequence[Incoming]
    storage_class: str
    outcomes: list[Outcome] = field(default_factory=list)
    left: list[Incoming] = field(default_factory=list)
    streamed: bool = False
    error: Exception | None = None
    waits: bool = True


class Additions:
    """What is stored, by whoever comes.

    Args:
        database: holds the index.
        blobs: hold the files.
        lock: names, rows and removals change together under it.
        store_exists: tells whether a store's full resource name is one of a store.
        streams: get a row for each new instance.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        lock: threading.Lock,
        store_exists: Callable[[str], bool],
        streams: Streams,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._lock = lock
        self._store_exists = store_exists
        self._streams = streams
        self._waiting: deque[_Addition] = deque()

    def add(self, store: str, batch: Sequence[Incoming], storage_class: str) -> list[Outcome]:
        """Store instances, all in one transaction; the incoming files are used up.

        Callers that come while another's transaction is on its way to the disk share the next one.

        Raises:
            StoreGoneError: there is no such store any more.
        """
        mine = _Addition(store, batch, storage_class)
        self._waiting.append(mine)
        with self._lock:
            if mine.waits:
                self._add_waiting()
        if mine.error is not None:
            raise mine.error
        if len(mine.outcomes) != len(batch):
            raise RuntimeError("the transaction that was shared with another caller failed")
        for one in mine.left:
            one.path.unlink(missing_ok=True)
        return mine.outcomes

    def _add_waiting(self) -> None:
        """Store what all waiting callers brought; the first of them does it for the rest."""
        additions = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._commit(additions)
        except TROUBLE:
            # One caller's trouble is not the others'; what was begun for them is undone.
            for addition in additions:
                self._commit_alone(addition)
        finally:
            for addition in additions:
                addition.waits = False
            if any(addition.streamed for addition in additions):
                self._streams.wake()

    def _commit_alone(self, addition: _Addition) -> None:
        addition.outcomes, addition.left = [], []
        try:
            self._commit([addition])
        except TROUBLE as error:
            addition.error = error

    def _commit(self, additions: Sequence[_Addition]) -> None:
        kept: list[Incoming] = []
        try:
            with self._database.write() as connection:
                for addition in additions:
                    self._add_all(connection, addition, kept)
                if not all(one.is_named for one in kept):
                    self._blobs.sync()
        except BaseException:
            for one in kept:
                self._blobs.give_back(one.path, one.record.sha256)
            raise

    def _add_all(self, connection: Connection, addition: _Addition, kept: list[Incoming]) -> None:
        if not self._store_exists(addition.store):
            addition.error = StoreGoneError(f"The DICOM store {addition.store} is gone.")
            return
        addition.outcomes = [
            self._add_one(connection, addition, one, kept) for one in addition.batch
        ]
        stored = (
            Change(one.record.row, one.record.schema, one.record.size, addition.storage_class)
            for one, outcome in zip(addition.batch, addition.outcomes, strict=True)
            if outcome is Outcome.STORED
        )
        addition.streamed = self._streams.add(connection, addition.store, stored)

    def _add_one(
        self,
        connection: Connection,
        addition: _Addition,
        incoming: Incoming,
        kept: list[Incoming],
    ) -> Outcome:
        """Add one row; its file comes to those kept, which are given back if all is undone."""
        record, store = incoming.record, addition.store
        where, uids = Place(store, record.study_uid, record.series_uid, record.sop_uid).condition()
        known = connection.execute(
            f"SELECT sha256 FROM dicom_instances WHERE {where}",  # noqa: S608 - no outside text
            uids,
        ).fetchone()
        if known is not None:
            addition.left.append(incoming)
            same = known["sha256"] == record.sha256
            return Outcome.IDENTICAL if same else Outcome.MISMATCH
        taken = self._blobs.keep(incoming.path, record.sha256)
        (kept if taken else addition.left).append(incoming)
        schema = _digest(record.schema)
        connection.execute(
            "INSERT OR IGNORE INTO dicom_schemas VALUES (?, ?)", (schema, record.schema)
        )
        connection.execute(_INSERT, _columns(store, record, schema, addition.storage_class))
        return Outcome.STORED


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
        record.study,
        record.series,
        record.instance,
        record.metadata,
        record.row,
        schema,
        storage_class,
        _now(),
    )


@lru_cache(_SCHEMAS_REMEMBERED)
def _digest(schema: str) -> str:
    """Give the name that the text of a schema is kept by."""
    return sha256(schema.encode()).hexdigest()


def _now() -> str:
    """Give the time as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
