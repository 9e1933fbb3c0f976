"""The changes of one transaction in a FHIR store.

Documented (the description of `disableReferentialIntegrity`): requests that leave a reference to a
resource that does not exist fail. Inferred (conformance: fhir-integrity, fhir-delete-referenced):
the check counts what the store holds after the whole transaction, and its answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Any, Protocol

from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.profiles.checks import ProfileChecks
from emulator.services.healthcare.fhir.refusals import OutcomeError, conflict
from emulator.services.healthcare.fhir.resources import lost_versions
from emulator.services.healthcare.fhir.resources.descriptions import describe
from emulator.services.healthcare.fhir.resources.models import (
    Index,
    find,
    last_version,
)
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.store_settings import StoreSettings

POST, PUT, PATCH, DELETE = "POST", "PUT", "PATCH", "DELETE"
MAX_REPORTED = 10
"""References that an answer names."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a resource.

    Attributes:
        version: that it made; of a deletion one without a body
        previous: the version before; None if the resource did not exist
    """

    version: Version
    previous: Version | None


class ChangeListener(Protocol):
    """Learns of changes in their transaction, and again when it is committed."""

    def add(
        self, connection: Connection, settings: StoreSettings, changes: Sequence[Change]
    ) -> bool:
        """Write what follows from changes of a store; return whether `wake` must be called."""

    def wake(self) -> None:
        """Continue with what was written: the transaction is committed."""


@dataclass
class Changes:
    """Writes resources in a transaction. `finish` must be called before its commit.

    Attributes:
        connection: in the transaction
        settings: of the store
        indexes: get each resource that is written
        operation: the full name of the long-running operation that makes them; empty for a call
        profiles: check what is written; nothing where that was checked before
        done: the changes so far
    """

    connection: Connection
    settings: StoreSettings
    indexes: Sequence[Index] = ()
    operation: str = ""
    profiles: ProfileChecks | None = None
    done: list[Change] = field(default_factory=list)
    _to_index: list[tuple[int, Mapping[str, Any] | None]] = field(default_factory=list)
    """Numbers of rows with their resources, or nothing for a deletion, the last one valid."""

    def find(self, type_: str, id_: str) -> Version | None:
        """Return the current version of a resource, or None."""
        return find(self.connection, self.settings.name, type_, id_)

    def was_deleted(self, type_: str, id_: str) -> bool:
        """Whether the history of a resource that does not exist ends with a deletion."""
        last = last_version(self.connection, self.settings.name, type_, id_)
        return last is not None and last.is_deletion

    def put(self, resource: Mapping[str, Any], method: str) -> Version:
        """Write a resource, a new version or the first one.

        Args:
            resource: with its type and id; its version and the time are set here
            method: of HTTP, as the history shows it
        """
        type_, id_ = resource["resourceType"], resource["id"]
        previous = self.find(type_, id_)
        version = self._next_version(type_, id_, previous)
        if previous is not None:
            self._leave(previous)
        written = self._write(resource, previous, version, method)
        self.done.append(Change(written, previous))
        return written

    def overwrite(self, resource: Mapping[str, Any], method: str) -> Version:
        """Write a resource as an import does: no version before it is kept, no notification.

        Raises:
            OutcomeError: the resource is refused, and the transaction is as it was before
        """
        type_, id_ = resource["resourceType"], resource["id"]
        previous = self.find(type_, id_)
        version = self._next_version(type_, id_, previous)
        with self.savepoint():
            if previous is not None:
                lost_versions.keep(self.connection, self.settings.name, previous)
            return self._write(resource, previous, version, method)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo the changes of a block that is refused, and leave those before it alone."""
        done, to_index = len(self.done), len(self._to_index)
        self.connection.execute("SAVEPOINT resource")
        try:
            yield
        except OutcomeError:
            self.connection.execute("ROLLBACK TO resource")
            del self.done[done:], self._to_index[to_index:]
            raise
        finally:
            self.connection.execute("RELEASE resource")

    def insert(self, version: Version) -> None:
        """Insert a version into a history, or replace the one of the same time.

        The newest version of a history is the current one, unless it is a deletion.
        """
        store = self.settings.name
        current = self.find(version.type, version.id)
        last = current or last_version(self.connection, store, version.type, version.id)
        if last is not None and version.version < last.version:
            self._keep(version)
        elif version.is_deletion:
            self._replace_by_deletion(version, current)
        else:
            if current is not None and current.version < version.version:
                self._keep(current)
            self.connection.execute(
                "DELETE FROM fhir_versions WHERE store = ? AND type = ? AND id = ? AND version = ?",
                (store, version.type, version.id, version.version),
            )
            written = self._write(version.resource(), current, version.version, version.method)
            self.done.append(Change(written, current))

    def delete(self, type_: str, id_: str) -> Version | None:
        """Delete a resource; return its last version, or None if it does not exist."""
        previous = self.find(type_, id_)
        if previous is None:
            return None
        version = self._next_version(type_, id_, previous)
        self._replace_by_deletion(Version(0, type_, id_, version, DELETE, b""), previous)
        return previous

    def purge(self, type_: str, id_: str) -> int:
        """Delete the history of a resource, but for its current version; return the versions."""
        lost_versions.keep_history(self.connection, self.settings.name, type_, id_)
        return self.connection.execute(
            "DELETE FROM fhir_versions WHERE store = ? AND type = ? AND id = ?",
            (self.settings.name, type_, id_),
        ).rowcount

    def finish(self) -> None:
        """Index what was written, and check the references between the store's resources.

        Raises:
            OutcomeError: 400, a changed resource refers to one that does not exist; 409, a
                deleted one is referred to
        """
        written = {number: one for number, one in dict(self._to_index).items() if one is not None}
        for index in self.indexes if written else ():
            index.add(self.connection, self.settings.name, written)
        if not self.settings.checks_references:
            return
        last = {change.version.name: change.version for change in self.done}
        for version in last.values():
            if version.is_deletion:
                self._check_unreferenced(version)
            else:
                self._check_references(version)

    def _next_version(self, type_: str, id_: str, previous: Version | None) -> int:
        last = previous or last_version(self.connection, self.settings.name, type_, id_)
        return instants.next_version(0 if last is None else last.version)

    def _write(
        self, resource: Mapping[str, Any], previous: Version | None, version: int, method: str
    ) -> Version:
        written = {
            **resource,
            "meta": {
                **resource.get("meta", {}),
                "versionId": instants.version_id(version),
                "lastUpdated": instants.last_updated(version),
            },
        }
        type_, id_, body = resource["resourceType"], resource["id"], json_text.dump(written)
        if previous is None:
            number = self.connection.execute(
                "INSERT INTO fhir_resources (store, type, id, version, method, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self.settings.name, type_, id_, version, method, body),
            ).lastrowid
            assert number is not None
        else:
            number = previous.number
            self.connection.execute(
                "UPDATE fhir_resources SET version = ?, method = ?, body = ? WHERE number = ?",
                (version, method, body, number),
            )
        describe(self.connection, self.settings, number, written, is_new=previous is None)
        self._to_index.append((number, written))
        current = Version(number, type_, id_, version, method, body)
        self._note(current)
        return current

    def _replace_by_deletion(self, deletion: Version, current: Version | None) -> None:
        if current is not None and current.version < deletion.version:
            self._leave(current)
        self._leave(deletion)
        self._note(deletion)
        if current is not None:
            self.connection.execute(
                "DELETE FROM fhir_resources WHERE number = ?", (current.number,)
            )
            self._to_index.append((current.number, None))
            self.done.append(Change(deletion, current))

    def _leave(self, version: Version) -> None:
        """Keep a version that is not current: in the history, if the store has one."""
        if self.settings.keeps_versions:
            self._keep(version)
        else:
            lost_versions.keep(self.connection, self.settings.name, version)

    def _note(self, version: Version) -> None:
        if self.operation:
            store = self.settings.name
            lost_versions.note_operation(self.connection, store, version, self.operation)

    def _keep(self, version: Version) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO fhir_versions (store, type, id, version, method, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                self.settings.name,
                version.type,
                version.id,
                version.version,
                version.method,
                version.body or None,
            ),
        )

    def _check_references(self, version: Version) -> None:
        rows = self.connection.execute(
            "SELECT path, target_type, target_id FROM fhir_references r WHERE resource = ?"
            " AND NOT EXISTS (SELECT 1 FROM fhir_resources t WHERE t.store = r.store"
            " AND t.type = r.target_type AND t.id = r.target_id) LIMIT ?",
            (version.number, MAX_REPORTED),
        ).fetchall()
        if rows:
            raise OutcomeError(
                400,
                *(
                    error(
                        "value",
                        "invalid_references",
                        f"reference {row['target_type']}/{row['target_id']} was not found",
                        row["path"],
                    )
                    for row in rows
                ),
            )

    def _check_unreferenced(self, version: Version) -> None:
        row = self.connection.execute(
            "SELECT type, id FROM fhir_references JOIN fhir_resources ON number = resource"
            " WHERE fhir_references.store = ? AND target_type = ? AND target_id = ? LIMIT 1",
            (self.settings.name, version.type, version.id),
        ).fetchone()
        if row is not None:
            raise conflict(
                f"{version.name} can't be deleted: {row['type']}/{row['id']} refers to it"
            )
