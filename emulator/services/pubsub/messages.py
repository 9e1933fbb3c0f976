"""Messages: published to topics, kept for each subscription until they are acknowledged."""

import json
import math
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.resource_name import ResourceName
from emulator.services.pubsub import message_filter, recent_messages, retry_policy
from emulator.services.pubsub.subscriptions import Subscription, Subscriptions
from emulator.services.pubsub.topics import Topics

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


@dataclass(frozen=True)
class Lease:
    """A message that was delivered, and not acknowledged yet.

    Attributes:
        ack_id: its acknowledgement id
        size: of its JSON, in bytes
        due: when it is redelivered, in seconds since 1970
    """

    ack_id: str
    size: int
    due: float


class Messages:
    """Undelivered messages of every subscription. `data` is base64, as on the wire."""

    def __init__(self, database: Database, topics: Topics, subscriptions: Subscriptions) -> None:
        self._database = database
        self._topics = topics
        self._subscriptions = subscriptions
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever something may be due, or a subscription has changed."""
        self._listeners.append(listener)

    def notify(self) -> None:
        """Call the listeners."""
        for listener in self._listeners:
            listener()

    def publish(self, topic: str, messages: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add messages to every subscription of a topic whose filter matches them.

        Args:
            topic: The full name of the topic.
            messages: Each with `data` (base64) or `attributes`, or both.

        Returns:
            The ids of the messages.
        """
        with self._database.write() as connection:
            ids = self.add(connection, topic, messages)
        self.notify()
        return ids

    def add(
        self, connection: sqlite3.Connection, topic: str, messages: Iterable[Mapping[str, Any]]
    ) -> list[str]:
        """Publish messages in a transaction; `notify` must follow the commit."""
        # No other thread writes meanwhile: a subscription that is read here still exists.
        listeners = [
            (each["name"], message_filter.parse(each.get("filter", "")))
            for each in self._subscriptions.of_topic(topic)
        ]
        ids, bodies = list[str](), list[str]()
        for message in messages:
            number = connection.execute("INSERT INTO message_numbers DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM message_numbers WHERE number < ?", (number,))
            ids.append(str(number))
            body = json.dumps({**message, "messageId": ids[-1], "publishTime": timestamps.now()})
            bodies.append(body)
            attributes = message.get("attributes", {})
            connection.executemany(
                "INSERT INTO messages (message_id, subscription, body, due) VALUES (?, ?, ?, 0)",
                [(ids[-1], name, body) for name, passes in listeners if passes(attributes)],
            )
        recent_messages.keep(connection, topic, bodies)
        return ids

    def recent(self, topic: str) -> list[Message]:
        """Return the last messages of a topic, the newest first; they stay undelivered."""
        return recent_messages.of_topic(self._database, topic)

    def undelivered(self, subscription: str) -> int:
        """Return the number of messages that a subscription has not acknowledged."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT COUNT(*) AS count FROM messages WHERE subscription = ?", (subscription,)
            ).fetchone()
        return int(row["count"])

    def pull(
        self, subscription: Subscription, maximum: int, max_bytes: float = math.inf
    ) -> list[dict[str, Any]]:
        """Lease messages that are due; they are redelivered unless acknowledged in time.

        What was delivered in vain too often goes to the dead-letter topic instead.

        Args:
            subscription: The subscription; its acknowledgement deadline is that of the leases.
            maximum: The number of messages at most.
            max_bytes: The size of their JSON, beyond which no more are added.

        Returns:
            `ackId`, `message` and, with a dead-letter topic, `deliveryAttempt` of each.
        """
        received: list[dict[str, Any]] = []
        now = time.time()
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT id, body, attempts FROM messages WHERE subscription = ? AND due <= ?"
                " ORDER BY id LIMIT ?",
                (subscription["name"], now, maximum),
            ).fetchall()
            moved = self._dead_letter(connection, subscription, rows)
            size = 0
            for row in rows:
                if row["id"] in moved:
                    continue
                if size > max_bytes:
                    break
                size += len(row["body"])
                ack_id, attempt = secrets.token_urlsafe(24), row["attempts"] + 1
                rest = retry_policy.seconds(subscription, attempt)
                connection.execute(
                    "UPDATE messages SET ack_id = ?, due = ?, attempts = ? WHERE id = ?",
                    (ack_id, now + subscription["ackDeadlineSeconds"] + rest, attempt, row["id"]),
                )
                taken = {"ackId": ack_id, "message": json.loads(row["body"])}
                dead = {"deliveryAttempt": attempt} if "deadLetterPolicy" in subscription else {}
                received.append({**taken, **dead})
        if moved:
            self.notify()
        return received

    def acknowledge(self, subscription: Subscription, ack_ids: Sequence[str]) -> None:
        """Forget messages; ids that are none, or too old, are passed over as Google does."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM messages WHERE subscription = ? AND ack_id = ?",
                [(subscription["name"], ack_id) for ack_id in ack_ids],
            )
        self.notify()

    def leases(self, ack_ids: Collection[str]) -> list[Lease]:
        """Return those of the messages that are leased still, by their acknowledgement ids."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT ack_id, LENGTH(body) AS size, due FROM messages"
                " WHERE ack_id IN (SELECT value FROM json_each(?)) AND due > ?",
                (json.dumps([*ack_ids]), time.time()),
            ).fetchall()
        return [Lease(row["ack_id"], row["size"], row["due"]) for row in rows]

    def modify_ack_deadline(
        self, subscription: Subscription, ack_ids: Sequence[str], seconds: float
    ) -> None:
        """Set the acknowledgement deadline to so many seconds from now; 0 rejects the messages."""
        now = time.time()
        with self._database.write() as connection:
            for ack_id in ack_ids:
                rows = connection.execute(
                    "SELECT id, body, attempts FROM messages WHERE subscription = ? AND ack_id = ?",
                    (subscription["name"], ack_id),
                ).fetchall()
                moved = set() if seconds else self._dead_letter(connection, subscription, rows)
                for row in rows:
                    if row["id"] not in moved:
                        rest = retry_policy.seconds(subscription, row["attempts"])
                        connection.execute(
                            "UPDATE messages SET due = ?, ack_id = ? WHERE id = ?",
                            (now + seconds + rest, ack_id if seconds else None, row["id"]),
                        )
        self.notify()

    def next_due(self, subscription: str) -> float | None:
        """Return the moment, in seconds since 1970, when something is due next; None for never."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT MIN(due) AS due FROM messages WHERE subscription = ?", (subscription,)
            ).fetchone()
        due: float | None = row["due"]
        return due

    def _dead_letter(
        self,
        connection: sqlite3.Connection,
        subscription: Subscription,
        rows: Sequence[sqlite3.Row],
    ) -> set[int]:
        """Move to the dead-letter topic what was delivered too often; the ids of those rows.

        While that topic does not exist, messages stay and are redelivered.
        """
        policy = subscription.get("deadLetterPolicy")
        if policy is None or not self._topics.exists(policy["deadLetterTopic"]):
            return set()
        dead = [row for row in rows if row["attempts"] >= policy["maxDeliveryAttempts"]]
        letters = [_dead_letter_message(row, subscription) for row in dead]
        self.add(connection, policy["deadLetterTopic"], letters)
        connection.executemany("DELETE FROM messages WHERE id = ?", [(row["id"],) for row in dead])
        return {row["id"] for row in dead}


def _dead_letter_message(row: sqlite3.Row, subscription: Subscription) -> Message:
    """Return a message for the dead-letter topic, with the attributes that Pub/Sub adds."""
    message: Message = json.loads(row["body"])
    name = ResourceName.parse(subscription["name"])
    return {
        **{key: message[key] for key in ("data", "orderingKey") if key in message},
        "attributes": {
            **message.get("attributes", {}),
            "CloudPubSubDeadLetterSourceDeliveryCount": str(row["attempts"]),
            "CloudPubSubDeadLetterSourceSubscription": name.id,
            "CloudPubSubDeadLetterSourceSubscriptionProject": name.project,
            "CloudPubSubDeadLetterSourceTopicPublishTime": message["publishTime"],
        },
    }
