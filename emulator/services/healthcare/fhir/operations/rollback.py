"""Rollback of a store to an earlier time: the inverse of each change since then, the last first.

Documented (`RollbackFhirResourcesRequest`, and
https://cloud.google.com/healthcare-api/docs/fhir-pitr): the request; nothing changes without
`force`; the files name the types and ids of the resources. Inferred (conformance:
fhir-rollback-text, fhir-rollback-result, fhir-rollback-dry-run): the texts of refusals, and the
name and the lines of the file; a restored resource is a new version; references are not checked,
and topics get nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from emulator.core.errors import invalid_argument, not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.operations import timeline
from emulator.services.healthcare.fhir.operations.metadata_filter import METADATA
from emulator.services.healthcare.fhir.operations.selection import parse_types
from emulator.services.healthcare.fhir.operations.timeline import CREATE, DELETE, UPDATE, Step
from emulator.services.healthcare.fhir.refusals import OutcomeError
from emulator.services.healthcare.fhir.resources import lost_versions
from emulator.services.healthcare.fhir.resources.changes import PUT, Changes
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.RollbackFhirResources"
BATCH = 200
"""Resources of a transaction."""
_ALL = (CREATE, UPDATE, DELETE)
_CHANGES = {
    "": _ALL,
    "CHANGE_TYPE_UNSPECIFIED": _ALL,
    "ALL": _ALL,
    CREATE: (CREATE,),
    UPDATE: (UPDATE,),
    DELETE: (DELETE,),
}


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for a time, a type or a filter that is not valid, 403 if the agent lacks a
            role, 404 for a missing bucket
    """
    StoreSettings.of(fhir.store(store))
    name = ResourceName.parse(store)
    filters = body.get("filteringFields", {})
    METADATA.compile(filters.get("metadataFilter", ""))
    request = {
        "store": store,
        "after": _after(body.get("rollbackTime", "")),
        "changes": _CHANGES[body.get("changeType", "")],
        "types": [type_ for text in body.get("type", []) for type_ in parse_types(text, "type")],
        "excludeRollbacks": bool(body.get("excludeRollbacks")),
        "operations": filters.get("operationIds", []),
        "metadata": filters.get("metadataFilter", ""),
        "names": _input_names(fhir, name.project, body.get("inputGcsObject", "")),
        "force": bool(body.get("force")),
        **_result_folder(fhir, name.project, body.get("resultGcsBucket", "")),
    }
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Rollback(fhir, operation).run()
        return {"fhirStore": operation.request["store"]}

    fhir.operations.register(operation_type(METHOD, run))


def _after(text: str) -> int:
    """Return the last version before the changes that are reverted."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        after = instants.version_of(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise invalid_argument("rollback_time is required, in RFC 3339") from None
    if after < lost_versions.first_version():
        days = lost_versions.RETENTION_DAYS
        raise invalid_argument(f"rollback_time {text} is not within the last {days} days")
    return after


def _result_folder(fhir: Fhir, project: str, uri: str) -> dict[str, str]:
    if not uri:
        raise invalid_argument("result_gcs_bucket is required: gs://BUCKET")
    whole = uri if uri.startswith("gs://") else f"gs://{uri}"
    return require_folder(fhir.agent, fhir.settings.storage_url, project, whole)


def _input_names(fhir: Fhir, project: str, uri: str) -> list[str] | None:
    """Return the lines `TYPE/ID` of a file; None without a file."""
    if not uri:
        return None
    url = fhir.settings.storage_url
    content = agent_reads.read_object(fhir.agent, url, project, uri, "input_gcs_object")
    return content.decode("utf-8", "replace").split()


class _Rollback:
    """One run of a rollback. Its own changes are not among those that it reverts."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._operation = fhir, operation
        self._request = request = operation.request
        self._store: str = request["store"]
        settings = StoreSettings.of(fhir.store(self._store))
        self._settings = replace(settings, checks_references=False, notifications=())
        self._names = None if request["names"] is None else frozenset(request["names"])
        self._matches = METADATA.compile(request["metadata"])
        self._ignored = {operation.name}
        if request["excludeRollbacks"]:
            self._ignored |= self._rollbacks()

    def run(self) -> None:
        """Revert all chosen changes, and write the names of the resources into the bucket.

        Raises:
            ApiError: the store was deleted, or the storage service is unavailable
        """
        names = [name for name in self._changed() if self._is_named(*name)]
        progress = BatchProgress(self._operation, len(names))
        result: list[str] = []
        for first in range(0, len(names), BATCH):
            found = [self._reverted(*name) for name in names[first : first + BATCH]]
            reverted = [each for each in found if each]
            failed = self._write(reverted) if self._request["force"] else {}
            for name, reason in failed.items():
                progress.fail(f"{self._store}/fhir/{name}", reason)
            result += [name for name, _ in reverted if name not in failed]
            progress.succeed(len(found) - len(failed))
            progress.check()
        with GcsClient(self._fhir.settings.storage_url) as storage:
            number = self._operation.name.rpartition("/")[2]
            content = "".join(f"{name}\n" for name in result).encode()
            path = f"{self._request['prefix']}rollback-{number}.txt"
            storage.write(self._request["bucket"], path, content, "text/plain")

    def _changed(self) -> Iterator[tuple[str, str]]:
        return timeline.changed(self._fhir.resources, self._store, self._request["after"])

    def _is_named(self, type_: str, id_: str) -> bool:
        types = self._request["types"]
        is_listed = self._names is None or f"{type_}/{id_}" in self._names
        return is_listed and (not types or type_ in types)

    def _reverted(self, type_: str, id_: str) -> tuple[str, Version | None] | None:
        """Return a resource with the version to restore; None if no change of it is chosen."""
        steps = timeline.steps(self._fhir.resources, self._store, type_, id_)
        if not steps:
            return None
        wanted, chosen = timeline.without(steps, self._is_chosen)
        return (f"{type_}/{id_}", wanted) if chosen else None

    def _is_chosen(self, step: Step) -> bool:
        request, number = self._request, step.operation.rpartition("/")[2]
        return (
            step.version.version > request["after"]
            and step.change in request["changes"]
            and step.operation not in self._ignored
            and (not request["operations"] or number in request["operations"])
            and self._has_metadata(step)
        )

    def _has_metadata(self, step: Step) -> bool:
        """Whether the filter matches what a change made, or what a deletion deleted."""
        if not self._request["metadata"]:
            return True
        version = step.previous if step.version.is_deletion else step.version
        return version is not None and self._matches(version.resource().get("meta", {}))

    def _rollbacks(self) -> set[str]:
        rows = self._fhir.resources.select(
            "SELECT name FROM operations WHERE method = ?", (METHOD,)
        )
        return {row["name"] for row in rows}

    def _write(self, reverted: Sequence[tuple[str, Version | None]]) -> dict[str, str]:
        """Restore versions; return the resources that can't be restored, with the reasons."""
        failed: dict[str, str] = {}
        try:
            with self._fhir.changing(self._settings, self._operation.name) as changes:
                for name, wanted in reverted:
                    try:
                        _restore(changes, name, wanted)
                    except OutcomeError as refused:
                        failed[name] = str(refused)
        except StoreGoneError as gone:
            raise not_found(str(gone)) from gone
        return failed


def _restore(changes: Changes, name: str, wanted: Version | None) -> None:
    type_, _, id_ = name.partition("/")
    current = changes.find(type_, id_)
    if wanted is None:
        changes.delete(type_, id_)
    elif current is None or _content(current) != _content(wanted):
        with changes.savepoint():
            changes.put(wanted.resource(), PUT)


def _content(version: Version) -> dict[str, Any]:
    """Return a resource without what each write changes, which a repeated run must not compare."""
    resource = version.resource()
    meta = {
        key: value
        for key, value in resource.get("meta", {}).items()
        if key not in ("versionId", "lastUpdated")
    }
    return {**resource, "meta": meta}
