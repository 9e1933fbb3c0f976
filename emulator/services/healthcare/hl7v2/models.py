"""The messages of HL7v2 stores, in the database.

A message is acknowledged when its row is committed. Updates and deletions leave a row of history,
which a rollback reads.

Documented (`rejectDuplicateMessage`, and the description of `import`): a message with the same raw
bytes is the same resource. Inferred (conformance: hl7v2-message-id, hl7v2-missing-text): the id is
the SHA-256 of the raw bytes, and the text of a refusal.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.errors import not_found
from emulator.core.resources.commit_group import CommitGroup
from emulator.services.healthcare.hl7v2 import history

SCHEMA = """
CREATE TABLE hl7v2_messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    data BLOB NOT NULL,
    labels TEXT NOT NULL,
    attributes TEXT NOT NULL,
    parsed TEXT NOT NULL,
    schematized TEXT NOT NULL,
    created TEXT NOT NULL,
    send_time TEXT NOT NULL,
    message_type TEXT NOT NULL,
    ack BLOB,
    operation TEXT NOT NULL
);
CREATE UNIQUE INDEX hl7v2_by_id ON hl7v2_messages (store, id);
CREATE INDEX hl7v2_by_send_time ON hl7v2_messages (store, send_time, number);
"""

_MARKS = ", ".join("?" for _ in history.MESSAGE_COLUMNS.split(","))
_INSERT = f"INSERT INTO hl7v2_messages ({history.MESSAGE_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608
_INSERT_NEW = f"{_INSERT} ON CONFLICT (store, id) DO NOTHING RETURNING *"
PAGE = 500


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A parsed message that is to be stored.

    Attributes:
        data: the raw message
        labels: by key
        attributes: fields of the resource that lists and filters use
        parsed: the field `parsedData`
        schematized: the field `schematizedData`; empty without schemas
        ack: the acknowledgement; None for a message that is not ingested
        operation: the name of the import; empty without one
    """

    data: bytes
    labels: dict[str, str]
    attributes: dict[str, Any]
    parsed: dict[str, Any]
    schematized: dict[str, str]
    ack: bytes | None = None
    operation: str = ""

    @property
    def id(self) -> str:
        """The id of the resource."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.data).digest()).decode()


@dataclass(frozen=True, slots=True)
class _Addition:
    """A call of `MessageStore.add`, with its arguments."""

    store: str
    message: NewMessage
    on_new: Callable[[Connection, Row], None] | None


class StoreGoneError(Exception):
    """The store was deleted while a message was written to it."""


class MessageStore:
    """The messages of all stores.

    Args:
        database: holds the messages
        store_exists: whether a store with this full name exists
    """

    def __init__(self, database: Database, store_exists: Callable[[str], bool]) -> None:
        self._database = database
        self._store_exists = store_exists
        self._group = CommitGroup(threading.Lock(), self._commit)

    def add(
        self,
        store: str,
        message: NewMessage,
        on_new: Callable[[Connection, Row], None] | None = None,
    ) -> tuple[Row, bool]:
        """Store a message, unless one with the same bytes is there.

        A message that is there and was never ingested gets the acknowledgement. Concurrent calls
        share a transaction.

        Args:
            store: the full name
            message: the message
            on_new: called in the transaction with the row of a message that is new; again if the
                transaction is repeated for lack of another message's store

        Returns:
            The row, and whether it is new
        """
        return self._group.add(_Addition(store, message, on_new))

    def _commit(self, additions: Sequence[_Addition]) -> list[tuple[Row, bool]]:
        """Add messages in one transaction."""
        with self._database.write() as connection:
            return [self._add(connection, each) for each in additions]

    def _add(self, connection: Connection, addition: _Addition) -> tuple[Row, bool]:
        store, message = addition.store, addition.message
        self._check(store)
        new: Row | None = connection.execute(_INSERT_NEW, _values(store, message)).fetchone()
        if new is not None:
            if addition.on_new is not None:
                addition.on_new(connection, new)
            return new, True
        if message.ack is not None:
            connection.execute(
                "UPDATE hl7v2_messages SET ack = ? WHERE store = ? AND id = ? AND ack IS NULL",
                (message.ack, store, message.id),
            )
        found = _find(connection, store, message.id)
        assert found is not None
        return found, False

    def import_batch(self, store: str, messages: Sequence[NewMessage]) -> None:
        """Store messages in one transaction; existing ones get the labels of the import."""
        with self._database.write() as connection:
            self._check(store)
            for message in messages:
                row = _find(connection, store, message.id)
                if row is None:
                    connection.execute(_INSERT, _values(store, message))
                elif json.loads(row["labels"]) != message.labels:
                    _set_labels(connection, row, message.labels, message.operation)

    def find(self, store: str, message_id: str) -> Row | None:
        """Return the row of a message, or None."""
        with self._database.read() as connection:
            return _find(connection, store, message_id)

    def get(self, store: str, message_id: str) -> Row:
        """Return the row of a message.

        Raises:
            ApiError: 404
        """
        row = self.find(store, message_id)
        if row is None:
            raise not_found(f"HL7v2 message {store}/messages/{message_id} does not exist.")
        return row

    def page(
        self, store: str, columns: str, order: "Order", after: Any, limit: int
    ) -> Sequence[Row]:
        """Return messages of a store in an order, those behind a key; see `paging.Fetch`.

        Args:
            store: the full name
            columns: of the table, from this code only
            order: of the list
            after: the key of the last message before; None for the first page
            limit: the number of messages at most
        """
        condition = f"AND ({order.columns}) {order.sign} (?, ?)" if after else ""
        return self.select(
            f"SELECT number, send_time, {columns} FROM hl7v2_messages"  # noqa: S608 - our own text
            f" WHERE store = ? {condition} ORDER BY {order.clause} LIMIT ?",
            (store, *(after or ()), limit),
        )

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query of this package."""
        with self._database.read() as connection:
            return connection.execute(statement, parameters).fetchall()

    def update_labels(self, store: str, message_id: str, labels: dict[str, str]) -> Row:
        """Change the labels of a message; raises as `get`."""
        with self._database.write() as connection:
            _set_labels(connection, self.get(store, message_id), labels, "")
        return self.get(store, message_id)

    def delete(self, store: str, message_id: str) -> None:
        """Delete a message; raises as `get`."""
        with self._database.write() as connection:
            row = self.get(store, message_id)
            history.delete_message(connection, row, "")

    def delete_store(self, store: str) -> None:
        """Delete the messages of a store that is deleted, with their history."""
        with self._database.write() as connection:
            for table in ("hl7v2_messages", "hl7v2_history"):
                connection.execute(f"DELETE FROM {table} WHERE store = ?", (store,))  # noqa: S608

    def delete_orphans(self) -> None:
        """Delete the messages of stores that no longer exist."""
        for row in self.select("SELECT DISTINCT store FROM hl7v2_messages"):
            if not self._store_exists(row["store"]):
                self.delete_store(row["store"])

    def _check(self, store: str) -> None:
        if not self._store_exists(store):
            raise StoreGoneError(f"The HL7v2 store {store} does not exist.")


@dataclass(frozen=True)
class Order:
    """The order of a list.

    Attributes:
        by_send_time: whether the time of MSH-7 counts first; the order of creation otherwise
        descending: whether the last comes first
    """

    by_send_time: bool = False
    descending: bool = False

    @property
    def columns(self) -> str:
        """The two columns of the key."""
        return "send_time, number" if self.by_send_time else "0, number"

    @property
    def sign(self) -> str:
        """The operator of SQL between a key and the key of the page before."""
        return "<" if self.descending else ">"

    @property
    def clause(self) -> str:
        """The ORDER BY clause."""
        direction = " DESC" if self.descending else ""
        first = f"send_time{direction}, " if self.by_send_time else ""
        return f"{first}number{direction}"

    def key(self, row: Row) -> list[Any]:
        """Return the key of a row."""
        return [row["send_time"] if self.by_send_time else 0, row["number"]]


def _find(connection: Connection, store: str, message_id: str) -> Row | None:
    row: Row | None = connection.execute(
        "SELECT * FROM hl7v2_messages WHERE store = ? AND id = ?", (store, message_id)
    ).fetchone()
    return row


def _set_labels(connection: Connection, row: Row, labels: dict[str, str], operation: str) -> None:
    history.add(connection, row, history.UPDATE, operation)
    connection.execute(
        "UPDATE hl7v2_messages SET labels = ? WHERE number = ?",
        (json.dumps(labels), row["number"]),
    )


def _values(store: str, message: NewMessage) -> tuple[object, ...]:
    """Return the values of `history.MESSAGE_COLUMNS`."""
    attributes = message.attributes
    return (
        store,
        message.id,
        message.data,
        json.dumps(message.labels),
        json.dumps(attributes),
        json.dumps(message.parsed),
        json.dumps(message.schematized),
        timestamps.now(),
        attributes.get("sendTime", ""),
        attributes.get("messageType", ""),
        message.ack,
        message.operation,
    )
