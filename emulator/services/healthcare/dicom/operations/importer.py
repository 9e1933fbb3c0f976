"""Import from Cloud Storage: list, fetch and parse in workers, store in batches.

Every step may be repeated: an instance that an interrupted run has stored is found identical and
counts as a success again, so a resumed operation ends with the same counters.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from emulator.core.errors import invalid_argument, not_found, unavailable
from emulator.core.operations.batch_progress import BatchProgress, BatchWork
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import agent_reads, gcs_uri
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.group_commit import (
    MISMATCH,
    StoreGoneError,
    StoreResult,
)
from emulator.services.healthcare.dicom.instances.models import STANDARD, STORAGE_CLASSES
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult, discard
from emulator.services.healthcare.dicom.operations import object_fetcher
from emulator.services.healthcare.dicom.operations.object_fetcher import (
    FetchTask,
    StorageUnavailableError,
)
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.operation_types import operation_type

METHOD = "dicom.DicomService.ImportDicomData"
BATCH = 16
"""Objects of a task: enough for an efficient transaction, few enough to show progress."""


def begin(dicom: Dicom, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for a URI that is invalid or matches nothing or for a missing bucket, 403 if
            the agent lacks a role
    """
    uri = agent_reads.source_uri(body)
    storage_class = body.get("blobStorageSettings", {}).get("blobStorageClass") or STANDARD
    if storage_class == "BLOB_STORAGE_CLASS_UNSPECIFIED":
        storage_class = STANDARD
    if storage_class not in STORAGE_CLASSES:
        raise invalid_argument(f"invalid blob_storage_class {storage_class!r}")
    name = ResourceName.parse(store)
    agent_reads.require_objects(dicom.agent, dicom.settings.storage_url, name.project, uri)
    request = {"store": store, "uri": uri, "storageClass": storage_class}
    return dicom.operations.start(str(name.parent), METHOD, request, version=version)


def register(dicom: Dicom) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Import(dicom, operation).run()
        return {}

    dicom.operations.register(operation_type(METHOD, run))


class _Import:
    """One run of an import."""

    def __init__(self, dicom: Dicom, operation: OperationRun) -> None:
        self._dicom = dicom
        self._store: str = operation.request["store"]
        self._storage_class: str = operation.request["storageClass"]
        self._source = gcs_uri.parse(operation.request["uri"])
        with GcsClient(dicom.settings.storage_url) as storage:
            self._names = list(storage.find(self._source))
        self._progress = BatchProgress(operation, len(self._names))

    def run(self) -> None:
        """Import all objects.

        Raises:
            ApiError: the store was deleted, or the storage service is unavailable
        """
        work = BatchWork(
            run=object_fetcher.fetch_and_parse,
            sources=lambda task: [self._uri(name) for name in task.names],
            store=self._add,
            discard=discard,
            crash="A parser process crashed while reading one of these files.",
        )
        self._progress.report()
        try:
            self._progress.run_batches(self._dicom.workers, work, self._tasks())
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        except StorageUnavailableError as error:
            raise unavailable(str(error)) from error

    def _tasks(self) -> Iterator[FetchTask]:
        folder = self._dicom.contents.blobs.staging
        objects = self._dicom.settings.storage_dir
        for start in range(0, len(self._names), BATCH):
            batch = self._names[start : start + BATCH]
            yield FetchTask(
                self._dicom.settings.storage_url,
                self._source.bucket,
                batch,
                folder,
                objects,
            )

    def _add(self, fetched: Sequence[FetchResult]) -> None:
        """Store the parsed files of a task, and count each."""
        good = [(one.name, one.staged) for one in fetched if one.staged]
        outcomes = self._dicom.contents.add(
            self._store, [staged for _, staged in good], self._storage_class, Action.IMPORTED
        )
        for (name, _), outcome in zip(good, outcomes, strict=True):
            if outcome is StoreResult.MISMATCH:
                self._progress.fail(self._uri(name), MISMATCH)
            else:
                self._progress.succeed()
        for one in fetched:
            if not one.staged:
                self._progress.fail(self._uri(one.name), one.error)

    def _uri(self, name: str) -> str:
        return f"gs://{self._source.bucket}/{name}"
