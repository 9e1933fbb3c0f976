"""`bulkDelete`: resources by type and time, or by a list in Cloud Storage.

Documented (`BulkDeleteResourcesRequest` and its enumeration): the selections, and what each
`versionConfig` deletes. Inferred (conformance: fhir-bulk-delete): the texts of refusals, that
references are not checked, and the names of the objects that list what was deleted.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from emulator.core.errors import invalid_argument, not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import agent_reads, gcs_uri
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir.operations.selection import (
    PAGE,
    Selection,
    parse_instant,
    parse_types,
)
from emulator.services.healthcare.fhir.operations.source_files import MAX_FILE_BYTES
from emulator.services.healthcare.fhir.resources.changes import Changes
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.BulkDeleteResources"
RESPONSE = "fhir.rest.BulkDeleteResourcesResponse"
ALL, CURRENT_ONLY, HISTORY_ONLY = "ALL", "CURRENT_ONLY", "HISTORY_ONLY"
_CONFIGS = (ALL, CURRENT_ONLY, HISTORY_ONLY)
_DEFAULTS = ("", "VERSION_CONFIG_UNSPECIFIED")


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for a selection that is not valid, 403 if the agent lacks a role
    """
    StoreSettings.of(fhir.store(store))
    config = body.get("versionConfig", "")
    config = ALL if config in _DEFAULTS else config
    if config not in _CONFIGS:
        raise invalid_argument(f"invalid version_config {config!r}: {', '.join(_CONFIGS)}")
    name, url = ResourceName.parse(store), fhir.settings.storage_url
    request: dict[str, Any] = {
        "store": store,
        "config": config,
        "only_counts": bool(body.get("validateOnly")),
        **_selection(body).request(),
    }
    if "gcsSource" in body:
        request["uri"] = agent_reads.source_uri(body)
        agent_reads.require_objects(fhir.agent, url, name.project, request["uri"])
    if uri := body.get("gcsDestination", {}).get("uriPrefix", ""):
        request |= require_folder(fhir.agent, url, name.project, uri)
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Deletion(fhir, operation).run()
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=RESPONSE))


def _selection(body: dict[str, Any]) -> Selection:
    types, until = body.get("type", ""), body.get("until", "")
    if "gcsSource" in body and (types or until):
        raise invalid_argument("gcs_source can't be combined with type or until")
    selection = Selection(parse_types(types, "type"))
    return replace(selection, until=parse_instant(until, "until")) if until else selection


class _Deletion:
    """One run of a deletion."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._request = fhir, operation.request
        self._operation = operation.name
        store = fhir.store(operation.request["store"])
        self._settings = replace(
            StoreSettings.of(store), checks_references=False, notifications=(), streams=()
        )
        self._progress = BatchProgress(operation, 0)
        self._deleted: dict[str, list[str]] = {}

    def run(self) -> None:
        """Delete, or count, what the request selects.

        Raises:
            ApiError: the store was deleted, or the storage service is unavailable
        """
        with GcsClient(self._fhir.settings.storage_url) as storage:
            for names in self._pages(storage):
                self._delete(names)
                self._progress.check()
            if "bucket" in self._request and not self._request["only_counts"]:
                self._write(storage)
        self._progress.report()

    def _pages(self, storage: GcsClient) -> Iterator[list[str]]:
        if "uri" in self._request:
            yield from self._listed(storage)
            return
        selection = Selection.of(self._request)
        resources, store = self._fhir.resources, self._request["store"]
        for page in selection.pages(resources, store):
            yield [version.name for version in page]
        if self._request["config"] != CURRENT_ONLY:
            yield from self._without_current(selection)

    def _without_current(self, selection: Selection) -> Iterator[list[str]]:
        """Yield the resources that have a history alone: those that were deleted."""
        rows = self._fhir.resources.select(
            "SELECT type, id, MAX(version) AS last FROM fhir_versions v WHERE store = ?"
            " AND NOT EXISTS (SELECT 1 FROM fhir_resources r WHERE r.store = v.store"
            " AND r.type = v.type AND r.id = v.id) GROUP BY type, id",
            (self._request["store"],),
        )
        names = [
            f"{row['type']}/{row['id']}"
            for row in rows
            if row["last"] <= selection.until
            and (not selection.types or row["type"] in selection.types)
        ]
        for first in range(0, len(names), PAGE):
            yield names[first : first + PAGE]

    def _listed(self, storage: GcsClient) -> Iterator[list[str]]:
        source = gcs_uri.parse(self._request["uri"])
        for name in storage.find(source):
            content = storage.read(source.bucket, name, MAX_FILE_BYTES)
            lines = content.decode("utf-8", "replace").splitlines()
            names = []
            for number, line in enumerate(lines, start=1):
                type_, slash, id_ = line.strip().partition("/")
                if type_ and slash and id_:
                    names.append(f"{type_}/{id_}")
                elif line.strip():
                    where = f"gs://{source.bucket}/{name}:{number}"
                    self._progress.fail(where, "the line is not of the form TYPE/ID")
            for first in range(0, len(names), PAGE):
                yield names[first : first + PAGE]

    def _delete(self, names: list[str]) -> None:
        if self._request["only_counts"]:
            self._progress.succeed(len(names))
            return
        try:
            with self._fhir.changing(self._settings, self._operation) as changes:
                gone = [name for name in names if self._delete_one(changes, name)]
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        for name in gone:
            self._deleted.setdefault(name.partition("/")[0], []).append(name)
        self._progress.succeed(len(gone))

    def _delete_one(self, changes: Changes, name: str) -> bool:
        type_, _, id_ = name.partition("/")
        config = self._request["config"]
        deleted = None if config == HISTORY_ONLY else changes.delete(type_, id_)
        purged = 0 if config == CURRENT_ONLY else changes.purge(type_, id_)
        return deleted is not None or purged > 0

    def _write(self, storage: GcsClient) -> None:
        """Write the names of what was deleted, an object for each type."""
        for type_, names in sorted(self._deleted.items()):
            content = "".join(f"{name}\n" for name in names).encode()
            name = f"{self._request['prefix']}{type_}"
            storage.write(self._request["bucket"], name, content, "text/plain")
