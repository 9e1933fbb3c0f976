"""Versions of secrets: their payloads, their states, and the names that lead to one.

Documented: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions
and https://cloud.google.com/secret-manager/docs/delay-destruction-of-secret-versions. Observed in
public reports: `latest` is the newest version whatever its state, and the texts of a version that
is not found or not enabled.

Inferred (conformance: secret-version-state-text): the text for a version that is destroyed already.
"""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.errors import ApiError, failed_precondition, invalid_argument, not_found
from emulator.services.secretmanager import events
from emulator.services.secretmanager.events import Events
from emulator.services.secretmanager.models import Secrets, check_etag, new_etag

ENABLED, DISABLED, DESTROYED = "ENABLED", "DISABLED", "DESTROYED"
LATEST = "latest"
_EVENTS = {ENABLED: events.VERSION_ENABLED, DISABLED: events.VERSION_DISABLED}
"""State that a call sets -> the type of its event."""
_PART = "/versions/"
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")

Version = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Payload:
    """The content of a version; its representation in logs has none of it.

    Attributes:
        version: the full name, with the number of the version
        content: the secret value
    """

    version: str
    content: bytes


class Versions:
    """The versions of all secrets.

    Args:
        database: holds them
        secrets: that they belong to
        events: published in the transactions of changes
    """

    def __init__(self, database: Database, secrets: Secrets, events: Events) -> None:
        self._database = database
        self._secrets = secrets
        self._events = events

    def add(self, secret: str, content: bytes, body: Version) -> Version:
        """Add an enabled version, which is the latest from now on.

        Args:
            secret: the full name of the secret
            content: the payload
            body: further fields of the version

        Raises:
            ApiError: 404 without the secret
        """
        owner = self._secrets.get(secret)
        with self._database.write() as connection:
            query = "SELECT coalesce(max(number), 0) + 1 FROM secret_versions WHERE secret = ?"
            number = int(connection.execute(query, (secret,)).fetchone()[0])
            version = {
                "name": f"{secret}{_PART}{number}",
                "createTime": timestamps.now(),
                "state": ENABLED,
                "etag": new_etag(),
                **body,
            }
            added = connection.execute(
                "INSERT INTO secret_versions (secret, number, body, payload)"
                " SELECT name, ?, ?, ? FROM secrets WHERE name = ?",
                (number, json.dumps(version), content, secret),
            ).rowcount
            if not added:
                raise not_found(f"Secret [{secret}] not found.")
            self._events.add(connection, events.VERSION_ADDED, owner, version)
        self._events.wake()
        return version

    def get(self, name: str) -> Version:
        """Return a version, by number, by alias or as `latest`.

        Raises:
            ApiError: 404
        """
        self.destroy_due()
        secret, number = self._resolved(name)
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM secret_versions WHERE secret = ? AND number = ?",
                (secret, number),
            ).fetchone()
        if row is None:
            raise _missing(name)
        body: Version = json.loads(row["body"])
        return body

    def access(self, name: str) -> Payload:
        """Return the payload of a version, by number, by alias or as `latest`.

        Raises:
            ApiError: 404, or 400 for a version that is not enabled
        """
        version = self.get(name)
        secret, _, number = version["name"].rpartition(_PART)
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT payload FROM secret_versions WHERE secret = ? AND number = ?",
                (secret, int(number)),
            ).fetchone()
        if version["state"] != ENABLED or row is None or row["payload"] is None:
            raise failed_precondition(
                f"Secret Version [{version['name']}] is in {version['state']} state."
            )
        return Payload(version["name"], row["payload"])

    def page(self, secret: str, after: int | None, limit: int) -> Sequence[tuple[int, Version]]:
        """Return the versions of a secret, the newest first; see `paging.Fetch`."""
        self.destroy_due()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT number, body FROM secret_versions WHERE secret = ?1"
                " AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3",
                (secret, after, limit),
            ).fetchall()
        return [(row["number"], json.loads(row["body"])) for row in rows]

    def total(self, secret: str) -> int:
        """Return the number of the versions of a secret."""
        with self._database.read() as connection:
            query = "SELECT count(*) FROM secret_versions WHERE secret = ?"
            return int(connection.execute(query, (secret,)).fetchone()[0])

    def set_state(self, name: str, etag: str, state: str) -> Version:
        """Enable or disable a version; a destruction that is scheduled is cancelled.

        Raises:
            ApiError: 404, or 400 for another etag or a version that is destroyed
        """
        secret = self._secrets.get(name.rpartition(_PART)[0])
        with self._database.write() as connection:
            version = self._changeable(connection, name, etag)
            version.pop("scheduledDestroyTime", None)
            changed = _put(connection, {**version, "state": state})
            self._events.add(connection, _EVENTS[state], secret, changed)
        self._events.wake()
        return changed

    def destroy(self, name: str, etag: str) -> Version:
        """Destroy a version, or schedule it if its secret delays destructions.

        Raises:
            ApiError: 404, or 400 for another etag or a version that is destroyed
        """
        secret = self._secrets.get(name.rpartition(_PART)[0])
        with self._database.write() as connection:
            version = self._changeable(connection, name, etag)
            if delay := secret.get("versionDestroyTtl"):
                due = time.time() + timestamps.parse_duration(delay)
                scheduled = {"state": DISABLED, "scheduledDestroyTime": _moment(due)}
                changed = _put(connection, {**version, **scheduled}, destroyed_at=due)
                event = events.DESTRUCTION_SCHEDULED
            else:
                changed = _put(connection, _erased(version, timestamps.now()))
                event = events.VERSION_DESTROYED
            self._events.add(connection, event, secret, changed)
        self._events.wake()
        return changed

    def destroy_due(self) -> None:
        """Destroy the versions whose scheduled time has come; delete secrets that have expired."""
        self._secrets.delete_expired()
        query = (
            "SELECT secret_versions.body, destroyed_at, secrets.body AS secret"
            " FROM secret_versions JOIN secrets ON secrets.name = secret"
            " WHERE destroyed_at <= ?"
        )
        with self._database.read() as connection:
            if connection.execute(query, (time.time(),)).fetchone() is None:
                return
        with self._database.write() as connection:
            for row in connection.execute(query, (time.time(),)).fetchall():
                version = _erased(json.loads(row["body"]), _moment(row["destroyed_at"]))
                secret = json.loads(row["secret"])
                self._events.add(
                    connection, events.VERSION_DESTROYED, secret, _put(connection, version)
                )
        self._events.wake()

    def _resolved(self, name: str) -> tuple[str, int]:
        secret, _, id_ = name.rpartition(_PART)
        if _NUMBER.fullmatch(id_):
            return secret, int(id_)
        if id_ == LATEST:
            newest = self.page(secret, None, 1)
            if not newest:
                raise not_found(f"Secret [{secret}] not found or has no versions.")
            return secret, newest[0][0]
        aliases = self._secrets.get(secret).get("versionAliases", {})
        if id_ not in aliases:
            raise _missing(name)
        return secret, int(aliases[id_])

    def _changeable(self, connection: Connection, name: str, etag: str) -> Version:
        secret, _, number = name.rpartition(_PART)
        if not _NUMBER.fullmatch(number):
            raise invalid_argument(
                f"[{name}] names a version by {number!r}: it is changed by its number only."
            )
        row = connection.execute(
            "SELECT body FROM secret_versions WHERE secret = ? AND number = ?",
            (secret, int(number)),
        ).fetchone()
        if row is None:
            raise _missing(name)
        version: Version = json.loads(row["body"])
        check_etag(version, etag)
        if version["state"] == DESTROYED:
            raise failed_precondition(f"Secret Version [{name}] is in {DESTROYED} state.")
        return version


def _erased(version: Version, moment: str) -> Version:
    kept = {field: value for field, value in version.items() if field != "scheduledDestroyTime"}
    return {**kept, "state": DESTROYED, "destroyTime": moment}


def _put(connection: Connection, version: Version, *, destroyed_at: float | None = None) -> Version:
    """Write a version; a destroyed one loses its payload.

    Args:
        connection: in a transaction
        version: as it is from now on
        destroyed_at: when it is due to be destroyed, in seconds since 1970
    """
    changed = {**version, "etag": new_etag()}
    secret, _, number = version["name"].rpartition(_PART)
    connection.execute(
        "UPDATE secret_versions SET body = ?, destroyed_at = ?,"
        " payload = CASE WHEN ? THEN NULL ELSE payload END WHERE secret = ? AND number = ?",
        (json.dumps(changed), destroyed_at, version["state"] == DESTROYED, secret, int(number)),
    )
    return changed


def _moment(seconds: float) -> str:
    return timestamps.to_rfc3339(datetime.fromtimestamp(seconds, UTC))


def _missing(name: str) -> ApiError:
    return not_found(f"Secret Version [{name}] not found.")
