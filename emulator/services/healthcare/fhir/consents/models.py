"""Consents as they were applied: what enforcement goes by until they are applied again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from sqlite3 import Connection, Row

from emulator.core.database import Database
from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.consents import parsing
from emulator.services.healthcare.fhir.consents.directives import Directive

SCHEMA = """
CREATE TABLE fhir_consents (
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    applied INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (store, id)
);
CREATE INDEX fhir_consents_by_owner ON fhir_consents (store, owner);
ALTER TABLE operations ADD COLUMN secondary_success INTEGER NOT NULL DEFAULT 0;
"""
_ADMIN = ""


class Status(StrEnum):
    """Documented: the status of a consent, as `$consent-enforcement-status` reports it."""

    OFF = "OFF"
    ENFORCEABLE = "ENFORCEABLE"
    INACTIVE = "INACTIVE"
    UNSUPPORTED = "UNSUPPORTED"
    LIMIT_EXCEEDED = "ENFORCEMENT_LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class AppliedConsent:
    """A consent as it was applied last.

    Attributes:
        id: of the resource
        owner: the id of the patient; empty for a policy of administrators
        version: of the resource, nanoseconds since 1970
        status: that applying it had
        applied: when, nanoseconds since 1970
        body: the resource as JSON
    """

    id: str
    owner: str
    version: int
    status: Status
    applied: int
    body: bytes

    @classmethod
    def of(cls, row: Row) -> "AppliedConsent":
        """Return the consent of a row."""
        return cls(
            row["id"],
            row["owner"],
            row["version"],
            Status(row["status"]),
            row["applied"],
            row["body"],
        )


class ConsentStore:
    """The applied consents of all stores.

    Args:
        database: holds them
        store_exists: whether a store with this full name exists
    """

    def __init__(self, database: Database, store_exists: Callable[[str], bool]) -> None:
        self._database = database
        self._store_exists = store_exists

    def find(self, store: str, id_: str) -> AppliedConsent | None:
        """Return a consent, or None if it was never applied."""
        found = self._select("id = ?", store, id_)
        return found[0] if found else None

    def of_owner(self, store: str, owner: str) -> Sequence[AppliedConsent]:
        """Return the consents of a patient."""
        return self._select("owner = ?", store, owner)

    def policies(self, store: str) -> Sequence[AppliedConsent]:
        """Return the policies of administrators."""
        return self.of_owner(store, _ADMIN)

    def owners(self, store: str) -> set[str]:
        """Return the ids of the patients whose consents were applied."""
        return {each.owner for each in self._select("owner <> ?", store, _ADMIN)}

    def directives(self, store: str, owner: str) -> Sequence[Directive]:
        """Return the directives in force of a patient, or of administrators for an empty owner."""
        return [
            directive
            for each in self.of_owner(store, owner)
            if each.status is Status.ENFORCEABLE
            for directive in directives_of(store, each.body)
        ]

    def delete_store(self, store: str) -> None:
        """Forget the consents of a store that is deleted."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM fhir_consents WHERE store = ?", (store,))

    def delete_orphans(self) -> None:
        """Forget the consents of stores that no longer exist."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT DISTINCT store FROM fhir_consents").fetchall()
        for row in rows:
            if not self._store_exists(row["store"]):
                self.delete_store(row["store"])

    def _select(self, condition: str, store: str, value: str) -> list[AppliedConsent]:
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT * FROM fhir_consents WHERE store = ? AND {condition} ORDER BY id",  # noqa: S608
                (store, value),
            ).fetchall()
        return [AppliedConsent.of(row) for row in rows]


def replace(
    connection: Connection, store: str, owner: str, consents: Iterable[AppliedConsent]
) -> None:
    """Replace the applied consents of a patient, or of administrators for an empty owner."""
    connection.execute("DELETE FROM fhir_consents WHERE store = ? AND owner = ?", (store, owner))
    connection.executemany(
        "INSERT OR REPLACE INTO fhir_consents (store, id, owner, version, status, applied, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (store, each.id, owner, each.version, each.status, each.applied, each.body)
            for each in consents
        ],
    )


@lru_cache(maxsize=2000)
def directives_of(store: str, body: bytes) -> Sequence[Directive]:
    """Return the directives of a consent that can be enforced."""
    return tuple(parsing.parse(json_text.parse(body), store))
