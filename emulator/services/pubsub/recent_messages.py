"""The last messages of each topic, also those that every subscription has acknowledged.

No call of Pub/Sub returns them: a page that shows a topic takes no message from a subscription.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from emulator.core.database import Database

SCHEMA = """
CREATE TABLE recent_messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL REFERENCES topics (name) ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE INDEX recent_messages_by_topic ON recent_messages (topic, number);
"""
MAX_KEPT = 20
"""Messages of a topic that are kept."""


def keep(connection: sqlite3.Connection, topic: str, bodies: Sequence[str]) -> None:
    """Keep the last of some published messages, in the transaction that publishes them.

    Args:
        connection: of the transaction
        topic: the full name of the topic
        bodies: the messages as JSON, the oldest first
    """
    # Without a topic there is no row: it may have been deleted since its publisher looked.
    connection.executemany(
        "INSERT INTO recent_messages (topic, body) SELECT name, ? FROM topics WHERE name = ?",
        [(body, topic) for body in bodies[-MAX_KEPT:]],
    )
    connection.execute(
        "DELETE FROM recent_messages WHERE topic = ?1 AND number <= (SELECT number"
        " FROM recent_messages WHERE topic = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        (topic, MAX_KEPT),
    )


def of_topic(database: Database, topic: str) -> list[dict[str, Any]]:
    """Return the last messages of a topic as subscribers receive them, the newest first."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT body FROM recent_messages WHERE topic = ? ORDER BY number DESC", (topic,)
        ).fetchall()
    return [json.loads(row["body"]) for row in rows]
