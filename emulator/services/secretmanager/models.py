"""Secrets: their state, by names with the number of the project.

Documented: https://cloud.google.com/secret-manager/docs/etags (the checks, and that every update
makes a new etag), https://cloud.google.com/secret-manager/docs/secret-expiration (a secret is
deleted with its versions at its time). Observed in public reports: names with the project's number,
and the texts of what is not found or exists already.

Inferred (conformance: secret-etag-text): the text of a refused etag.
"""

import json
import secrets as randomness
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.errors import already_exists, failed_precondition, not_found
from emulator.services.iam.models import Policies
from emulator.services.resourcemanager.models import Projects
from emulator.services.secretmanager.events import (
    CONFIGURED,
    CREATED,
    DELETED,
    EXPIRED,
    REQUESTED,
    UPDATED,
    Events,
)

SCHEMA = """
CREATE TABLE secrets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,
    expires REAL,
    body TEXT NOT NULL
);
CREATE INDEX secrets_by_parent ON secrets (parent, number);
CREATE INDEX secrets_by_expiry ON secrets (expires) WHERE expires IS NOT NULL;
CREATE TABLE secret_versions (
    secret TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    destroyed_at REAL,
    body TEXT NOT NULL,
    payload BLOB,
    PRIMARY KEY (secret, number)
);
CREATE INDEX secret_versions_by_destruction ON secret_versions (destroyed_at)
    WHERE destroyed_at IS NOT NULL;
"""
"""`payload` is the content of a version; NULL once it is destroyed."""

Secret = dict[str, Any]


class Secrets:
    """The secrets of all projects.

    Args:
        database: holds them
        projects: know the ids that the names of policies contain
        policies: of secrets, which go with them
        events: published in the transactions of changes
    """

    def __init__(
        self, database: Database, projects: Projects, policies: Policies, events: Events
    ) -> None:
        self._database = database
        self._projects = projects
        self._policies = policies
        self._events = events

    def get(self, name: str) -> Secret:
        """Return a secret.

        Raises:
            ApiError: 404
        """
        found = self.find(name)
        if found is None:
            raise not_found(f"Secret [{name}] not found.")
        return found

    def find(self, name: str) -> Secret | None:
        """Return a secret; None if it does not exist or has expired."""
        self.delete_expired()
        with self._database.read() as connection:
            query = "SELECT body FROM secrets WHERE name = ?"
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else json.loads(row["body"])

    def page(self, parent: str, after: int | None, limit: int) -> Sequence[tuple[int, Secret]]:
        """Return the secrets of a project or a location, the newest first; see `paging.Fetch`."""
        self.delete_expired()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT number, body FROM secrets WHERE parent = ?1"
                " AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3",
                (parent, after, limit),
            ).fetchall()
        return [(row["number"], json.loads(row["body"])) for row in rows]

    def total(self, parent: str) -> int:
        """Return the number of the secrets of a project or a location."""
        with self._database.read() as connection:
            query = "SELECT count(*) FROM secrets WHERE parent = ?"
            return int(connection.execute(query, (parent,)).fetchone()[0])

    def create(self, name: str, body: Secret) -> Secret:
        """Add a secret, without versions.

        Raises:
            ApiError: 409 if the name is taken, 400 for a topic that can't be published to
        """
        self.delete_expired()
        secret = {**body, "name": name, "createTime": timestamps.now(), "etag": new_etag()}
        self._events.check_topics(secret)
        parent = name.rpartition("/secrets/")[0]
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO secrets (name, parent, expires, body) VALUES (?, ?, ?, ?)",
                (name, parent, _expiry(secret), json.dumps(secret)),
            ).rowcount
            if not added:
                raise already_exists(f"Secret [{name}] already exists.")
            self._events.add(connection, CONFIGURED, secret)
            self._events.add(connection, CREATED, secret)
        self._events.wake()
        return secret

    def update(self, name: str, etag: str, change: Callable[[Secret], Secret]) -> Secret:
        """Replace a secret by what a function returns for it.

        Args:
            name: of the secret
            etag: that the secret must have; empty for any
            change: returns the new body

        Raises:
            ApiError: 404, or 400 for another etag or a topic that can't be published to
        """
        with self._database.write() as connection:
            present = self._required(connection, name)
            check_etag(present, etag)
            secret = {**change(present), "etag": new_etag()}
            if secret.get("topics") != present.get("topics"):
                self._events.check_topics(secret)
                self._events.add(connection, CONFIGURED, secret)
            self._events.add(connection, UPDATED, secret)
            connection.execute(
                "UPDATE secrets SET body = ?, expires = ? WHERE name = ?",
                (json.dumps(secret), _expiry(secret), name),
            )
        self._events.wake()
        return secret

    def delete(self, name: str, etag: str) -> None:
        """Delete a secret with its versions and its policy.

        Raises:
            ApiError: 404, or 400 for another etag
        """
        with self._database.write() as connection:
            secret = self._required(connection, name)
            check_etag(secret, etag)
            connection.execute("DELETE FROM secrets WHERE name = ?", (name,))
            self._events.add(connection, DELETED, secret, deleteType=REQUESTED)
        self._events.wake()
        self._policies.delete_prefix(self.in_policies(name))

    def in_policies(self, name: str) -> str:
        """Return the name that the policy of a secret is kept under: with the project's id."""
        _, project, rest = name.split("/", 2)
        return f"projects/{self._projects.id_of(project)}/{rest}"

    def delete_expired(self) -> None:
        """Delete the secrets whose time has come."""
        query = "SELECT name, body FROM secrets WHERE expires <= ?"
        with self._database.read() as connection:
            rows = connection.execute(query, (time.time(),)).fetchall()
        for name, body in rows:
            with self._database.write() as connection:
                deleted = connection.execute(
                    "DELETE FROM secrets WHERE name = ? AND expires <= ?", (name, time.time())
                ).rowcount
                if deleted:
                    self._events.add(connection, DELETED, json.loads(body), deleteType=EXPIRED)
            self._events.wake()
            self._policies.delete_prefix(self.in_policies(name))

    def _required(self, connection: Connection, name: str) -> Secret:
        query = "SELECT body FROM secrets WHERE name = ? AND coalesce(expires > ?, TRUE)"
        row = connection.execute(query, (name, time.time())).fetchone()
        if row is None:
            raise not_found(f"Secret [{name}] not found.")
        body: Secret = json.loads(row["body"])
        return body


def new_etag() -> str:
    """Return an etag, which includes its quotation marks (https://google.aip.dev/154)."""
    return f'"{randomness.token_hex(7)}"'


def check_etag(present: Secret, etag: str) -> None:
    """Refuse an etag that is not that of a resource; an empty one is not checked.

    Raises:
        ApiError: 400
    """
    if etag and etag != present["etag"]:
        raise failed_precondition(
            f"The etag {etag} of the request does not match that of [{present['name']}]: read it "
            "again, and repeat the change."
        )


def _expiry(secret: Secret) -> float | None:
    """Return when a secret expires, in seconds since 1970."""
    text = secret.get("expireTime")
    return datetime.fromisoformat(text).timestamp() if text else None
