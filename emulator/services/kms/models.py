"""Key rings, keys and versions: their state, and whether a key can be used."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.core import timestamps
from emulator.core.database import ALL, Database
from emulator.core.errors import already_exists, failed_precondition, invalid_argument, not_found
from emulator.core.resource_name import ResourceName
from emulator.core.timestamps import parse_duration, to_rfc3339
from emulator.services.iam.models import Policies

SCHEMA = """
CREATE TABLE IF NOT EXISTS kms_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS kms_by_parent ON kms_resources (parent, name);
"""
ENABLED, SCHEDULED = "ENABLED", "DESTROY_SCHEDULED"
ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
"""The purpose of keys that encrypt and decrypt."""
_ID = re.compile(r"[a-zA-Z0-9_-]{1,63}")
_DEFAULT_DESTROY_SECONDS = 30 * 24 * 3600

Resource = dict[str, Any]


class Keys:
    """Every key ring, key and version, by full name.

    Rings and keys are never deleted; a key is unusable once its versions are destroyed.
    https://cloud.google.com/kms/docs/destroy-restore
    """

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    def get(self, name: str) -> Resource:
        """Return a ring, a key with its primary version, or a version.

        Raises:
            ApiError: 404.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM kms_resources WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            raise not_found(f"{_noun(name)} {name} not found.")
        body: Resource = json.loads(row["body"])
        return self._with_primary(body)

    def exists(self, name: str) -> bool:
        """Whether there is a ring, key or version of this name."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM kms_resources WHERE name = ?"
            return connection.execute(query, (name,)).fetchone() is not None

    def list(self, parent: str) -> list[Resource]:
        """Return the rings of a location, the keys of a ring or the versions of a key, by name.

        Args:
            parent: the collection, such as `projects/P/locations/L/keyRings`
        """
        return [body for _, body in self.page(parent, None, ALL)]

    def page(
        self, parent: str, after: Sequence[Any] | None, limit: int
    ) -> Sequence[tuple[Sequence[Any], Resource]]:
        """Return keys and resources of a collection, by name; see `paging.Fetch`.

        Versions are numbers, so a shorter name comes first.
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, body FROM kms_resources"
                " WHERE parent = ? AND (length(name), name) > (?, ?)"
                " ORDER BY length(name), name LIMIT ?",
                (parent, *(after or (0, "")), limit),
            ).fetchall()
        return [
            ([len(row["name"]), row["name"]], self._with_primary(json.loads(row["body"])))
            for row in rows
        ]

    def create(self, collection: str, id_: str, body: Mapping[str, Any]) -> Resource:
        """Add a key ring or a key.

        Raises:
            ApiError: 400 for an invalid id, 404 without the ring, 409 if the id is taken
        """
        if not _ID.fullmatch(id_):
            raise invalid_argument(f"invalid id {id_!r}: 1 to 63 of a-z, A-Z, 0-9, _ and -")
        if collection.endswith("/cryptoKeys"):
            self.get(collection.removesuffix("/cryptoKeys"))
        name = f"{collection}/{id_}"
        if not self._insert(
            name, collection, {**body, "name": name, "createTime": timestamps.now()}
        ):
            raise already_exists(f"{_noun(name)} {name} already exists.")
        return self.get(name)

    def add_version(self, key: str) -> Resource:
        """Add a version to a key, which becomes the primary one of a key for encryption."""
        body = self.get(key)
        number = len(self.list(f"{key}/cryptoKeyVersions")) + 1
        name = f"{key}/cryptoKeyVersions/{number}"
        template = body.get("versionTemplate", {})
        version = {
            "name": name,
            "state": ENABLED,
            "createTime": timestamps.now(),
            "generateTime": timestamps.now(),
            "protectionLevel": template.get("protectionLevel", "SOFTWARE"),
            "algorithm": template.get("algorithm", "GOOGLE_SYMMETRIC_ENCRYPTION"),
        }
        self._insert(name, f"{key}/cryptoKeyVersions", version)
        if body.get("purpose", ENCRYPT_DECRYPT) == ENCRYPT_DECRYPT:
            self.update(key, lambda present: {**present, "primary": {"name": name}})
        return self.get(name)

    def update(self, name: str, change: Callable[[Resource], Resource]) -> Resource:
        """Replace a ring, a key or a version by what a function returns for it."""
        with self._database.write() as connection:
            body = change(self._stored(name))
            connection.execute(
                "UPDATE kms_resources SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
        return self.get(name)

    def destroy(self, version: str) -> Resource:
        """Schedule a version for destruction: from now on it decrypts nothing.

        Raises:
            ApiError: 400 for a version that is scheduled or destroyed already.
        """
        body = self.get(version)
        if body["state"] not in (ENABLED, "DISABLED"):
            raise failed_precondition(f"{version} is not enabled or disabled: {body['state']}.")
        key = self.get(str(ResourceName.parse(version).parent))
        wait = key.get("destroyScheduledDuration", f"{_DEFAULT_DESTROY_SECONDS}s")
        due = datetime.now(UTC) + timedelta(seconds=parse_duration(wait))
        scheduled = {"state": SCHEDULED, "destroyTime": to_rfc3339(due)}
        return self.update(version, lambda present: {**present, **scheduled})

    def usable(self, key: str) -> bool:
        """Whether a key exists and its primary version encrypts."""
        return self.exists(key) and self.get(key).get("primary", {}).get("state") == ENABLED

    def _stored(self, name: str) -> Resource:
        body = self.get(name)
        if "primary" in body:
            body["primary"] = {"name": body["primary"]["name"]}
        return body

    def _insert(self, name: str, parent: str, body: Resource) -> bool:
        with self._database.write() as connection:
            query = "INSERT OR IGNORE INTO kms_resources VALUES (?, ?, ?)"
            return bool(connection.execute(query, (name, parent, json.dumps(body))).rowcount)

    def _with_primary(self, body: Resource) -> Resource:
        primary = body.get("primary")
        return {**body, "primary": self.get(primary["name"])} if primary else body


def _noun(name: str) -> str:
    words = {"keyRings": "KeyRing", "cryptoKeys": "CryptoKey"}
    return words.get(ResourceName.parse(name).collection, "CryptoKeyVersion")
