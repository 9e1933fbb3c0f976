"""Messages: published to topics, kept for each subscription until they are acknowledged."""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from emulator.database import Database
from emulator.pubsub import filters
from emulator.pubsub.subscriptions import Subscription, Subscriptions

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    subscription TEXT NOT NULL,
    body TEXT NOT NULL,
    due REAL NOT NULL,
    ack_id TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (subscription, due);
CREATE TABLE IF NOT EXISTS message_numbers (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""
_DEFAULT_ATTEMPTS = 5

Message = dict[str, Any]


class Messages:
    """What waits to be delivered. `data` is base64, as on the wire."""

    def __init__(self, database: Database, subscriptions: Subscriptions) -> None:
        self._database = database
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
        listeners = [
            (each["name"], filters.parse(each.get("filter", "")))
            for each in self._subscriptions.of_topic(topic)
        ]
        ids: list[str] = []
        with self._database.write() as connection:
            for message in messages:
                number = connection.execute("INSERT INTO message_numbers DEFAULT VALUES").lastrowid
                ids.append(str(number))
                stamped = {**message, "messageId": ids[-1], "publishTime": _now()}
                attributes = message.get("attributes", {})
                connection.executemany(
                    "INSERT INTO messages (message_id, subscription, body, due)"
                    " VALUES (?, ?, ?, 0)",
                    [
                        (ids[-1], name, json.dumps(stamped))
                        for name, passes in listeners
                        if passes(attributes)
                    ],
                )
            connection.execute("DELETE FROM message_numbers WHERE number < last_insert_rowid()")
        for listener in self._listeners:
            listener()
        return ids

    def take(self, subscription: Subscription, most: int) -> list[dict[str, Any]]:
        """Take what is due, which comes again unless it is acknowledged in time.

        What was delivered in vain too often goes to the dead-letter topic instead.

        Returns:
            `ackId`, `message` and, with a dead-letter topic, `deliveryAttempt` of each.
        """
        dead = subscription.get("deadLetterPolicy") or {}
        limit = dead.get("maxDeliveryAttempts") or _DEFAULT_ATTEMPTS
        received: list[dict[str, Any]] = []
        letters: list[Message] = []
        due = time.time() + subscription["ackDeadlineSeconds"]
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT id, body, attempts FROM messages WHERE subscription = ? AND due <= ?"
                " ORDER BY id LIMIT ?",
                (subscription["name"], time.time(), most),
            ).fetchall()
            for row in rows:
                if dead and row["attempts"] >= limit:
                    letters.append(_letter(json.loads(row["body"]), subscription, row["attempts"]))
                    connection.execute("DELETE FROM messages WHERE id = ?", (row["id"],))
                    continue
                ack_id = secrets.token_urlsafe(24)
                connection.execute(
                    "UPDATE messages SET ack_id = ?, due = ?, attempts = attempts + 1 WHERE id = ?",
                    (ack_id, due, row["id"]),
                )
                taken = {"ackId": ack_id, "message": json.loads(row["body"])}
                attempt = {"deliveryAttempt": row["attempts"] + 1} if dead else {}
                received.append({**taken, **attempt})
        if letters:
            self.publish(dead["deadLetterTopic"], letters)
        return received

    def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Forget messages; ids that are none, or too old, are passed over as Google does."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM messages WHERE subscription = ? AND ack_id = ?",
                [(subscription, ack_id) for ack_id in ack_ids],
            )

    def postpone(self, subscription: str, ack_ids: Sequence[str], seconds: float) -> None:
        """Let messages come again after so many seconds; 0 for at once."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE messages SET due = ? WHERE subscription = ? AND ack_id = ?",
                [(time.time() + seconds, subscription, ack_id) for ack_id in ack_ids],
            )
        for listener in self._listeners:
            listener()

    def next_due(self, subscriptions: Sequence[str]) -> float | None:
        """The moment, in seconds since 1970, when something is due next; None for never."""
        marks = ", ".join("?" * len(subscriptions))
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT MIN(due) AS due FROM messages WHERE subscription IN ({marks})",  # noqa: S608
                tuple(subscriptions),
            ).fetchone()
        due: float | None = row["due"]
        return due

    def drop(self, subscription: str) -> None:
        """Forget what waits for a deleted subscription."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM messages WHERE subscription = ?", (subscription,))


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
