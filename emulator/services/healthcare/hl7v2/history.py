"""The history of messages: each update and deletion, with the message as it was before."""

from sqlite3 import Connection, Row

from emulator.core import timestamps

SCHEMA = """
CREATE TABLE hl7v2_history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    change TEXT NOT NULL,
    changed TEXT NOT NULL,
    changed_by TEXT NOT NULL,
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
CREATE INDEX hl7v2_history_by_id ON hl7v2_history (store, id, number);
"""
CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
MESSAGE_COLUMNS = (
    "store, id, data, labels, attributes, parsed, schematized, created, send_time, message_type,"
    " ack, operation"
)
"""The columns that the messages and their history share."""


def add(connection: Connection, message: Row, change: str, changed_by: str) -> None:
    """Keep a message as it is before a change, in the transaction of the change.

    Args:
        connection: in the transaction
        message: the row
        change: `UPDATE`, `DELETE`, or `CREATE` for a message that a rollback restored
        changed_by: the name of the operation; empty for a call
    """
    connection.execute(
        f"INSERT INTO hl7v2_history (change, changed, changed_by, {MESSAGE_COLUMNS})"  # noqa: S608
        f" SELECT ?, ?, ?, {MESSAGE_COLUMNS} FROM hl7v2_messages WHERE number = ?",
        (change, timestamps.now(), changed_by, message["number"]),
    )


def delete_message(connection: Connection, message: Row, changed_by: str) -> None:
    """Delete a message, and keep it in the history; arguments as those of `add`."""
    add(connection, message, DELETE, changed_by)
    connection.execute("DELETE FROM hl7v2_messages WHERE number = ?", (message["number"],))
