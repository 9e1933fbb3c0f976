"""Changes of instances, and the listener that records them in the same transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Protocol

CREATED, DELETED = "CREATE", "DELETE"
"""The kinds of a change; a new storage class of an instance counts as a creation."""


@dataclass(frozen=True, slots=True)
class Change:
    """An instance as it is after a change, or was before its deletion.

    Attributes:
        row: its BigQuery row, as JSON
        schema: the schema of that row, as JSON
        size: bytes of its file
        storage_class: of its file
    """

    row: str
    schema: str
    size: int
    storage_class: str


class ChangeListener(Protocol):
    """Records changes in the transaction that makes them (the transactional outbox pattern)."""

    def add(
        self,
        connection: Connection,
        store: str,
        changes: Iterable[Change],
        change_type: str = CREATED,
    ) -> bool:
        """Record changes.

        Args:
            connection: in the transaction
            store: the full name of the DICOM store
            changes: read only if the listener wants those of the store
            change_type: `CREATED` or `DELETED`

        Returns:
            Whether `wake` must follow the commit
        """

    def wake(self) -> None:
        """Send what was recorded: the transaction is committed."""
