"""Topics as resources.

Inferred (conformance: pubsub-missing-text, pubsub-exists-text, pubsub-name-text): the texts of
refusals.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import already_exists, invalid_argument, not_found
from emulator.services.iam.models import Policies

SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    body TEXT NOT NULL
);
"""
_NAME = re.compile(r"projects/([^/]+)/topics/((?!goog)[A-Za-z][\w.~+%-]{2,254})")

Topic = dict[str, Any]


class Topics:
    """The topics of all projects, by full name."""

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    def get(self, name: str) -> Topic:
        """Return a topic.

        Raises:
            ApiError: 400 for an invalid name, 404 if the topic does not exist.
        """
        _project(name)
        with self._database.read() as connection:
            row = connection.execute("SELECT body FROM topics WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise not_found(f"Resource not found (resource={name.rpartition('/')[2]}).")
        topic: Topic = json.loads(row["body"])
        return topic

    def exists(self, name: str) -> bool:
        """Whether there is a topic of this name."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM topics WHERE name = ?"
            return connection.execute(query, (name,)).fetchone() is not None

    def page(self, project: str, after: str | None, limit: int) -> Sequence[tuple[str, Topic]]:
        """Return names and topics of a project, by name; see `paging.Fetch`."""
        return self._database.page("topics", "project", project, after, limit)

    def create(self, name: str, body: Mapping[str, Any]) -> Topic:
        """Add a topic.

        Raises:
            ApiError: 409 if the name is taken.
        """
        topic = {**body, "name": name}
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO topics VALUES (?, ?, ?)",
                (name, _project(name), json.dumps(topic)),
            ).rowcount
        if not added:
            raise already_exists(f"Resource already exists in the project (resource={name}).")
        return topic

    def update(self, name: str, change: Callable[[Topic], Topic]) -> Topic:
        """Replace a topic by what a function returns for it."""
        with self._database.write() as connection:
            topic = change(self.get(name))
            connection.execute(
                "UPDATE topics SET body = ? WHERE name = ?", (json.dumps(topic), name)
            )
        return topic

    def delete(self, name: str) -> None:
        """Delete a topic and its policy."""
        self.get(name)
        with self._database.write() as connection:
            connection.execute("DELETE FROM topics WHERE name = ?", (name,))
        self._policies.delete_prefix(name)


def _project(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid_argument(
            f"Invalid resource name given (name={name}): projects/PROJECT/topics/TOPIC, the topic "
            "3 to 255 letters, digits and -_.~+%, beginning with a letter, not with goog."
        )
    return match[1]
