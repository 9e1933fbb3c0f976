"""Changes of instances, and the listeners that record them in the same transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection
from typing import Protocol

from emulator.services.healthcare.dicom.parsing.parser import Record


class Action(StrEnum):
    """A change of the data of a store: the name of its method, as notifications have it."""

    STORED = "StoreInstances"
    IMPORTED = "ImportDicomData"
    DELETED = "DeleteInstances"
    STORAGE_CLASS_SET = "SetBlobSettings"
    UPDATED = "UpdateInstances"
    STUDY_PATCHED = "UpdateStudyMetadata"
    SERIES_PATCHED = "UpdateSeriesMetadata"
    INSTANCE_PATCHED = "UpdateInstanceMetadata"
    STORE_DEIDENTIFIED = "DeidentifyDicomStore"
    DATASET_DEIDENTIFIED = "DeidentifyDataset"


@dataclass(frozen=True, slots=True)
class Change:
    """An instance as it is after a change, or was before its deletion.

    Attributes:
        study, series, sop: its UIDs
        modality: empty if it has none
        row: its BigQuery row, as JSON
        schema: the schema of that row, as JSON
        size: bytes of its file
        storage_class: of its file
        previous_storage_class: empty if the storage class has not changed
    """

    study: str
    series: str
    sop: str
    modality: str
    row: str
    schema: str
    size: int
    storage_class: str
    previous_storage_class: str = ""

    @classmethod
    def of_record(cls, record: Record, storage_class: str, previous: str = "") -> "Change":
        """Return a new instance, or one that was replaced.

        Args:
            record: the instance
            storage_class: of its file
            previous: the storage class of the file that it replaces, if it was another one
        """
        return cls(
            record.study_uid,
            record.series_uid,
            record.sop_uid,
            record.modality,
            record.row,
            record.schema,
            record.size,
            storage_class,
            previous,
        )


class ChangeListener(Protocol):
    """Records changes in the transaction that makes them (the transactional outbox pattern)."""

    def add(
        self,
        connection: Connection,
        store: str,
        action: Action,
        changes: Callable[[], Iterable[Change]],
    ) -> bool:
        """Record changes.

        Args:
            connection: in the transaction
            store: the full name of the DICOM store
            action: what changed the instances
            changes: called only if the listener wants those of the store

        Returns:
            Whether `wake` must follow the commit
        """

    def wake(self) -> None:
        """Send what was recorded: the transaction is committed."""


class Listeners:
    """Several listeners as one. A `ChangeListener`."""

    def __init__(self, listeners: Sequence[ChangeListener]) -> None:
        self._listeners = listeners

    def add(
        self,
        connection: Connection,
        store: str,
        action: Action,
        changes: Callable[[], Iterable[Change]],
    ) -> bool:
        """Record changes with each listener, as `ChangeListener.add` describes."""
        wanted = [one.add(connection, store, action, changes) for one in self._listeners]
        return any(wanted)

    def wake(self) -> None:
        """Have each listener send what it recorded."""
        for one in self._listeners:
            one.wake()
