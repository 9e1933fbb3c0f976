"""Messages: published to topics, kept for each subscription until they are acknowledged."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from emulator.database import Database
from emulator.pubsub import backoff, filters
from emulator.pubsub.models import Topics
from emulator.pubsub.subscriptions import Subscription, Subscriptions

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    subscription TEXT NOT NULL REFERENCES subscriptions (name) ON DELETE CASCADE,
    body TEXT NOT NULL,
    due REAL NOT NULL,
    ack_id TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (subscription, due);
CREATE INDEX IF NOT EXISTS messages_taken ON messages (ack_id);
CREATE TABLE IF NOT EXISTS message_numbers (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""

Message = dict[str, Any]


class Messages:
    """What waits to be delivered. `data` is base64, as on the wire."""

    def __init__(self, database: Database, topics: Topics, subscriptions: Subscriptions) -> None:
        self._database = database
        self._topics = topics
        self._subscriptions = subscriptions
        self._listeners: list[Callable[[], None]] = []
        database.apply(SCHEMA)

    def on_publish(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever something may be due."""
        self._listeners.append(listener)

    def publish(self, topic: str, messages: Iterable[Mapping[str, Any]]) -> list[str]:
        """Give messages to every subscription of a topic whose filter lets them pass.

        Args:
            topic: The full name of the topic.
            messages: Each with `data` (base64) or `attributes`, or both.

        Returns:
            The ids of the messages.
        """
        with self._database.write() as connection:
            ids = self._insert(connection, topic, messages)
        self._tell()
        return ids

    def take(self, subscription: Subscription, most: int) -> list[dict[str, Any]]:
        """Take what is due, which comes again unless it is acknowledged in time.

        What was delivered in vain too often goes to the dead-letter topic instead.

        Returns:
            `ackId`, `message` and, with a dead-letter topic, `deliveryAttempt` of each.
        """
        received: list[dict[str, Any]] = []
        now = time.time()
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT id, body, attempts FROM messages WHERE subscription = ? AND due <= ?"
                " ORDER BY id LIMIT ?",
                (subscription["name"], now, most),
            ).fetchall()
            buried = self._bury(connection, subscription, rows)
            for row in rows:
                if row["id"] in buried:
                    continue
                ack_id, attempt = secrets.token_urlsafe(24), row["attempts"] + 1
                rest = backoff.seconds(subscription, attempt)
                connection.execute(
                    "UPDATE messages SET ack_id = ?, due = ?, attempts = ? WHERE id = ?",
                    (ack_id, now + subscription["ackDeadlineSeconds"] + rest, attempt, row["id"]),
                )
                taken = {"ackId": ack_id, "message": json.loads(row["body"])}
                dead = {"deliveryAttempt": attempt} if "deadLetterPolicy" in subscription else {}
                received.append({**taken, **dead})
        if buried:
            self._tell()
        return received

    def acknowledge(self, subscription: Subscription, ack_ids: Sequence[str]) -> None:
        """Forget messages; ids that are none, or too old, are passed over as Google does."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM messages WHERE subscription = ? AND ack_id = ?",
                [(subscription["name"], ack_id) for ack_id in ack_ids],
            )

    def postpone(self, subscription: Subscription, ack_ids: Sequence[str], seconds: float) -> None:
        """Give so many seconds more to acknowledge messages; 0 says that they were refused."""
        now = time.time()
        with self._database.write() as connection:
            for ack_id in ack_ids:
                rows = connection.execute(
                    "SELECT id, body, attempts FROM messages WHERE subscription = ? AND ack_id = ?",
                    (subscription["name"], ack_id),
                ).fetchall()
                buried = set() if seconds else self._bury(connection, subscription, rows)
                for row in rows:
                    if row["id"] not in buried:
                        rest = backoff.seconds(subscription, row["attempts"])
                        connection.execute(
                            "UPDATE messages SET due = ? WHERE id = ?",
                            (now + seconds + rest, row["id"]),
                        )
        self._tell()

    def next_due(self, subscription: str) -> float | None:
        """The moment, in seconds since 1970, when something is due next; None for never."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT MIN(due) AS due FROM messages WHERE subscription = ?", (subscription,)
            ).fetchone()
        due: float | None = row["due"]
        return due

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _insert(
        self, connection: sqlite3.Connection, topic: str, messages: Iterable[Mapping[str, Any]]
    ) -> list[str]:
        # Nobody else writes meanwhile: a subscription that is read here is not deleted here.
        listeners = [
            (each["name"], filters.parse(each.get("filter", "")))
            for each in self._subscriptions.of_topic(topic)
        ]
        ids: list[str] = []
        for message in messages:
            number = connection.execute("INSERT INTO message_numbers DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM message_numbers WHERE number < ?", (number,))
            ids.append(str(number))
            body = json.dumps({**message, "messageId": ids[-1], "publishTime": _now()})
            attributes = message.get("attributes", {})
            connection.executemany(
                "INSERT INTO messages (message_id, subscription, body, due) VALUES (?, ?, ?, 0)",
                [(ids[-1], name, body) for name, passes in listeners if passes(attributes)],
            )
        return ids

    def _bury(
        self,
        connection: sqlite3.Connection,
        subscription: Subscription,
        rows: Sequence[sqlite3.Row],
    ) -> set[int]:
        """Move to the dead-letter topic what was delivered too often; the ids of those rows.

        While that topic is gone nothing is moved: the messages go on being delivered.
        """
        policy = subscription.get("deadLetterPolicy")
        if policy is None or not self._topics.exists(policy["deadLetterTopic"]):
            return set()
        dead = [row for row in rows if row["attempts"] >= policy["maxDeliveryAttempts"]]
        letters = [_letter(json.loads(row["body"]), subscription, row["attempts"]) for row in dead]
        self._insert(connection, policy["deadLetterTopic"], letters)
        connection.executemany("DELETE FROM messages WHERE id = ?", [(row["id"],) for row in dead])
        return {row["id"] for row in dead}


def _letter(message: Message, subscription: Subscription, attempts: int) -> Message:
    """A dead message, with where it comes from as Pub/Sub says it."""
    name, project = subscription["name"].split("/")[3], subscription["name"].split("/")[1]
    return {
        **{key: message[key] for key in ("data", "orderingKey") if key in message},
        "attributes": {
            **message.get("attributes", {}),
            "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
            "CloudPubSubDeadLetterSourceSubscription": name,
            "CloudPubSubDeadLetterSourceSubscriptionProject": project,
            "CloudPubSubDeadLetterSourceTopicPublishTime": message["publishTime"],
        },
    }


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
