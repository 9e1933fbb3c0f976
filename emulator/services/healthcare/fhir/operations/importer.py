"""Import from Cloud Storage.

Documented (the description of `import`): each resource has an id; references are not checked, and
neither topics nor tables get anything; the current version is overwritten in place; what is
imported stays when other resources fail. A run that was interrupted is safe to repeat. Inferred
(conformance: fhir-import-text, fhir-import-failures): the texts of refusals, and the sources and
texts of failures.
"""

from dataclasses import replace
from typing import Any

from emulator.core.errors import not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import gcs_uri
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir import validation
from emulator.services.healthcare.fhir.operations import content, source_files
from emulator.services.healthcare.fhir.operations.content import Item
from emulator.services.healthcare.fhir.refusals import OutcomeError, unparseable
from emulator.services.healthcare.fhir.resources import admission
from emulator.services.healthcare.fhir.resources.changes import PUT
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.ImportResources"
RESPONSE = "fhir.rest.ImportResourcesResponse"
BATCH = 200
"""Resources of a transaction."""


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for a URI that is invalid or matches nothing or for a missing bucket, 403 if
            the agent lacks a role
    """
    StoreSettings.of(fhir.store(store))
    request = source_files.request_of(fhir, store, body)
    parent = str(ResourceName.parse(store).parent)
    return fhir.operations.start(parent, METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Import(fhir, operation).run()
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=RESPONSE))


class _Import:
    """One run of an import."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir = fhir
        self._operation = operation.name
        store = fhir.store(operation.request["store"])
        # No notification, and no check of references.
        self._settings = replace(StoreSettings.of(store), checks_references=False, notifications=())
        self._source = gcs_uri.parse(operation.request["uri"])
        self._structure = operation.request["structure"]
        self._progress = BatchProgress(operation, 0)

    def run(self) -> None:
        """Import all files.

        Raises:
            ApiError: the store was deleted, or the storage service is unavailable
        """
        with GcsClient(self._fhir.settings.storage_url) as storage:
            for name in storage.find(self._source):
                self._import_file(storage, name)
        self._progress.report()

    def _import_file(self, storage: GcsClient, name: str) -> None:
        uri = f"gs://{self._source.bucket}/{name}"
        batch: list[Item] = []
        bucket, structure = self._source.bucket, self._structure
        texts = source_files.texts(storage, bucket, name, structure, self._progress)
        for item in content.items(uri, texts, structure):
            if refused := item.refused or self._refusal(item):
                self._progress.fail(item.source, str(refused))
                continue
            batch.append(item)
            if len(batch) == BATCH:
                self._write(batch)
                batch = []
        self._write(batch)

    def _refusal(self, item: Item) -> OutcomeError | None:
        """Return why a resource can't be imported; None if it can be."""
        resource = item.resource or {}
        wrong = validation.check(resource, "", self._settings.validation)
        if wrong:
            return OutcomeError(400, *wrong)
        if not resource.get("id"):
            return unparseable('missing required field "id"')
        return None

    def _write(self, batch: list[Item]) -> None:
        failed: list[tuple[Item, OutcomeError]] = []
        try:
            with self._fhir.changing(self._settings, self._operation) as changes:
                for item in batch:
                    assert item.resource is not None
                    try:
                        admission.check_profiles(changes, item.resource)
                        changes.overwrite(item.resource, PUT)
                    except OutcomeError as refused:
                        failed.append((item, refused))
        except StoreGoneError as gone:
            raise not_found(str(gone)) from gone
        for item, reason in failed:
            self._progress.fail(item.source, str(reason))
        self._progress.succeed(len(batch) - len(failed))
        self._progress.check()
