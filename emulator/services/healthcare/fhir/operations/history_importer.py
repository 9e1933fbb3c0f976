"""Import of versions from Cloud Storage, in history bundles.

Documented (`ImportResourcesHistoryRequest`, and `enableHistoryModifications` of the store): the
structures, the limit of errors, and the switch. A run that was interrupted is safe to repeat: a
version replaces the one of the same time. Inferred (conformance: fhir-history-import): a line of
RESOURCE is one version; counters are of versions; neither topics nor tables get anything; the texts
of refusals, and the code of an operation that has too many errors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.core.errors import ApiError, failed_precondition, invalid_argument, not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import gcs_uri
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir.operations import content, importer, source_files
from emulator.services.healthcare.fhir.refusals import OutcomeError, unparseable
from emulator.services.healthcare.fhir.resources import history_entries, parsing
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.ImportResourcesHistory"
DEFAULT_MAX_ERRORS, ANY_ERRORS = 100, -1


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for a source that is not valid or a store without history, 403 if the agent
            lacks a role
    """
    settings = StoreSettings.of(fhir.store(store))
    if not settings.takes_history:
        raise failed_precondition(
            "importHistory needs enable_history_modifications of the store to be true"
        )
    if not settings.keeps_versions:
        raise failed_precondition(
            "the store has no history: its disable_resource_versioning is true"
        )
    errors = int(body.get("maxErrorCount") or DEFAULT_MAX_ERRORS)
    if errors < ANY_ERRORS:
        raise invalid_argument(f"invalid max_error_count {errors}: {ANY_ERRORS} is for any number")
    request = {**source_files.request_of(fhir, store, body), "errors": errors}
    parent = str(ResourceName.parse(store).parent)
    return fhir.operations.start(parent, METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Import(fhir, operation).run()
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=importer.RESPONSE))


class _Import:
    """One run of an import."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._operation = fhir, operation.name
        self._request = operation.request
        settings = StoreSettings.of(fhir.store(operation.request["store"]))
        self._settings = replace(settings, checks_references=False, notifications=(), streams=())
        self._progress = BatchProgress(operation, 0)
        self._errors = 0

    def run(self) -> None:
        """Import all files.

        Raises:
            ApiError: the store was deleted, the storage service is unavailable, or there are too
                many errors
        """
        source = gcs_uri.parse(self._request["uri"])
        with GcsClient(self._fhir.settings.storage_url) as storage:
            for name in storage.find(source):
                self._import_file(storage, source.bucket, name)
        self._progress.report()

    def _import_file(self, storage: GcsClient, bucket: str, name: str) -> None:
        structure = self._request["structure"]
        texts = source_files.texts(storage, bucket, name, structure, self._progress)
        for number, text in enumerate(texts, start=1):
            location = f"gs://{bucket}/{name}" + (
                "" if content.is_whole(structure) else f":{number}"
            )
            if text.strip():
                self._write([*self._versions(location, text, structure)])

    def _versions(self, location: str, text: bytes, structure: str) -> Iterator[Version]:
        """Yield the versions of a text; log those that are refused."""
        try:
            entries = _entries(parsing.parse(text), structure)
        except OutcomeError as refused:
            self._fail(location, refused)
            return
        for index, entry in enumerate(entries):
            try:
                yield history_entries.version_of(self._settings, index, entry)
            except OutcomeError as refused:
                self._fail(f"{location} Bundle.entry[{index}]", refused)

    def _fail(self, source: str, refused: OutcomeError) -> None:
        self._progress.fail(source, str(refused))
        self._errors += 1
        limit = self._request["errors"]
        if limit != ANY_ERRORS and self._errors >= limit:
            self._progress.report()
            raise ApiError(499, "CANCELLED", f"the import was cancelled after {limit} errors")

    def _write(self, versions: list[Version]) -> None:
        try:
            with self._fhir.changing(self._settings, self._operation) as changes:
                for version in versions:
                    changes.insert(version)
        except StoreGoneError as gone:
            raise not_found(str(gone)) from gone
        self._progress.succeed(len(versions))
        self._progress.check()


def _entries(parsed: Mapping[str, Any], structure: str) -> list[Any]:
    """Return the entries of a history bundle, or the one of a resource alone."""
    if structure in (content.RESOURCE, content.RESOURCE_PRETTY):
        return [{"resource": parsed}]
    if parsed.get("resourceType") != "Bundle" or parsed.get("type") != "history":
        raise unparseable("expected a Bundle of the type history")
    entries = parsed.get("entry", [])
    if not isinstance(entries, list):
        raise unparseable("expected array", "Bundle.entry")
    return entries
