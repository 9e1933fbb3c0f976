"""Subscriptions as resources."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.core.database import ALL, Database
from emulator.core.errors import already_exists, invalid_argument, not_found
from emulator.services.iam.models import Policies
from emulator.services.pubsub import message_filter

SCHEMA = """
CREATE TABLE IF NOT EXISTS subscriptions (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    topic TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS subscriptions_by_topic ON subscriptions (topic);
"""
DELETED = "_deleted-topic_"
"""The name of a topic that was deleted."""
_NAME = re.compile(r"projects/([^/]+)/subscriptions/((?!goog)[A-Za-z][\w.~+%-]{2,254})")
_DEFAULTS: dict[str, Any] = {
    "ackDeadlineSeconds": 10,
    "messageRetentionDuration": "604800s",
    "expirationPolicy": {"ttl": "2678400s"},
    "pushConfig": {},
    "state": "ACTIVE",
}

Subscription = dict[str, Any]


def endpoint(subscription: Subscription) -> str:
    """Where a subscription is pushed to; empty for one that is pulled."""
    url: str = subscription.get("pushConfig", {}).get("pushEndpoint", "")
    return url


class Subscriptions:
    """The subscriptions of all projects, by full name."""

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    def get(self, name: str) -> Subscription:
        """Return a subscription.

        Raises:
            ApiError: 400 for an invalid name, 404 if the subscription does not exist.
        """
        _project(name)
        found = self.find(name)
        if found is None:
            raise not_found(f"Resource not found (resource={name.rpartition('/')[2]}).")
        return found

    def find(self, name: str) -> Subscription | None:
        """Return a subscription, if there is one of this name."""
        return next(iter(self._select("name = ?", name)), None)

    def exists(self, name: str) -> bool:
        """Whether there is a subscription of this name."""
        return self.find(name) is not None

    def page(
        self, project: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, Subscription]]:
        """Return names and subscriptions of a project, by name; see `paging.Fetch`."""
        found = self._select("project = ? AND name > ?", project, after or "", limit=limit)
        return [(each["name"], each) for each in found]

    def page_of_topic(
        self, topic: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, Subscription]]:
        """Return names and subscriptions of a topic, by name; see `paging.Fetch`."""
        found = self._select("topic = ? AND name > ?", topic, after or "", limit=limit)
        return [(each["name"], each) for each in found]

    def of_topic(self, topic: str) -> Sequence[Subscription]:
        """Return the subscriptions of a topic, by name."""
        return self._select("topic = ?", topic)

    def pushed(self) -> Sequence[str]:
        """Return the names of the subscriptions that are delivered to an endpoint."""
        return [each["name"] for each in self._select("1 = ?", 1) if endpoint(each)]

    def create(self, name: str, body: Mapping[str, Any]) -> Subscription:
        """Add a subscription.

        Raises:
            ApiError: 400 for a filter that can't be read, 409 if the name is taken.
        """
        message_filter.parse(body.get("filter", ""))
        created = {**_DEFAULTS, **body, "name": name}
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO subscriptions VALUES (?, ?, ?, ?)",
                (name, _project(name), created.pop("topic"), json.dumps(created)),
            ).rowcount
        if not added:
            raise already_exists(f"Resource already exists in the project (resource={name}).")
        return self.get(name)

    def update(self, name: str, change: Callable[[Subscription], Subscription]) -> Subscription:
        """Replace a subscription by what a function returns for it.

        Fields that the function leaves out get their defaults.
        """
        with self._database.write() as connection:
            body = {**_DEFAULTS, **change(self.get(name))}
            body.pop("topic")
            connection.execute(
                "UPDATE subscriptions SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
        return self.get(name)

    def orphan(self, topic: str) -> None:
        """Leave the subscriptions of a deleted topic without one."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE subscriptions SET topic = ? WHERE topic = ?", (DELETED, topic)
            )

    def delete(self, name: str) -> None:
        """Delete a subscription with its policy and with what waits for it."""
        self.get(name)
        with self._database.write() as connection:
            connection.execute("DELETE FROM subscriptions WHERE name = ?", (name,))
        self._policies.delete_prefix(name)

    def _select(self, condition: str, *values: object, limit: int = ALL) -> Sequence[Subscription]:
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT body, topic FROM subscriptions WHERE {condition}"  # noqa: S608
                " ORDER BY name LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [{**json.loads(row["body"]), "topic": row["topic"]} for row in rows]


def _project(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid_argument(
            f"Invalid resource name given (name={name}): projects/PROJECT/subscriptions/NAME, the "
            "name 3 to 255 letters, digits and -_.~+%, beginning with a letter, not with goog."
        )
    return match[1]
