"""Import from Cloud Storage: list, fetch and parse in workers, store in batches.

Every step may be repeated: an instance that an interrupted run has stored is found identical and
counts as a success again, so a resumed operation ends with the same counters.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import TYPE_CHECKING, Any

from emulator.errors import invalid_argument, not_found, unavailable
from emulator.healthcare.dicom import fetching, notifications, permissions, wildcards
from emulator.healthcare.dicom.additions import MISMATCH, Outcome, StoreGoneError
from emulator.healthcare.dicom.fetching import Fetched, StorageDownError, Task
from emulator.healthcare.dicom.models import STANDARD, STORAGE_CLASSES
from emulator.healthcare.dicom.storage import Storage
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

METHOD = "dicom.DicomService.ImportDicomData"
BATCH = 16
"""Objects a task: enough to make one transaction worth its while, few enough to show progress."""
VIEWER = "roles/storage.objectViewer"


def begin(cloud: "Cloud", store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as far as the cloud does before it starts, and start it.

    Raises:
        ApiError: 400 for a bad or matchless URI or a missing bucket, 403 for the agent.
    """
    uri = body.get("gcsSource", {}).get("uri", "")
    if not uri:
        raise invalid_argument("gcs_source.uri is required: gs://BUCKET/OBJECT")
    source = wildcards.parse(uri)
    storage_class = body.get("blobStorageSettings", {}).get("blobStorageClass") or STANDARD
    if storage_class == "BLOB_STORAGE_CLASS_UNSPECIFIED":
        storage_class = STANDARD
    if storage_class not in STORAGE_CLASSES:
        raise invalid_argument(f"invalid blob_storage_class {storage_class!r}")
    project = store.split("/")[1]
    for permission in ("storage.objects.list", "storage.objects.get"):
        permissions.require_on_bucket(cloud, project, source.bucket, permission, VIEWER)
    with Storage(cloud.storage_url) as storage:
        storage.check_bucket(source.bucket)
        if next(storage.find(source), None) is None:
            raise invalid_argument(f"the Cloud Storage URI {uri} resolves to zero GCS objects")
    request = {"store": store, "uri": uri, "storageClass": storage_class}
    return cloud.operations.start(store.split("/dicomStores/")[0], METHOD, request, version=version)


def register(cloud: "Cloud") -> None:
    """Have imports run, and go on after a restart."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Import(cloud, operation).run()
        return {}

    cloud.operations.register(METHOD, run)


class _Import:
    """One run of an import."""

    def __init__(self, cloud: "Cloud", operation: OperationRun) -> None:
        self._cloud = cloud
        self._operation = operation
        self._store: str = operation.request["store"]
        self._source = wildcards.parse(operation.request["uri"])
        self._success = self._failure = self._total = 0

    def run(self) -> None:
        """Import all objects.

        Raises:
            ApiError: the store or the storage service is gone.
        """
        with Storage(self._cloud.storage_url) as storage:
            names = list(storage.find(self._source))
        self._total = len(names)
        self._report()
        results = self._cloud.dicom.workers.map(fetching.run, self._tasks(names), fetching.discard)
        try:
            with closing(results):
                for task, done in results:
                    self._take(task, done)
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        except StorageDownError as error:
            raise unavailable(str(error)) from error

    def _tasks(self, names: Sequence[str]) -> Iterator[Task]:
        folder = self._cloud.dicom.contents.blobs.incoming
        objects = self._cloud.settings.storage_dir
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            yield Task(self._cloud.storage_url, self._source.bucket, batch, folder, objects)

    def _report(self) -> None:
        pending = self._total - self._success - self._failure
        self._operation.progress(success=self._success, failure=self._failure, pending=pending)

    def _take(self, task: Task, done: Sequence[Fetched] | BrokenProcessPool) -> None:
        if isinstance(done, BrokenProcessPool):
            self._fail(task.names, "A process that parses files died of one of these.")
        else:
            try:
                self._keep(done)
            except BaseException:
                fetching.discard(done)
                raise
        self._report()
        self._operation.check_cancelled()

    def _keep(self, fetched: Sequence[Fetched]) -> None:
        good = [(one.name, one.incoming) for one in fetched if one.incoming]
        outcomes = self._cloud.dicom.contents.add(
            self._store,
            [incoming for _, incoming in good],
            self._operation.request["storageClass"],
        )
        new = [
            incoming.record
            for (_, incoming), outcome in zip(good, outcomes, strict=True)
            if outcome is Outcome.STORED
        ]
        notifications.tell(self._cloud, self._store, new, notifications.IMPORTED)
        for (name, _), outcome in zip(good, outcomes, strict=True):
            if outcome is Outcome.MISMATCH:
                self._fail([name], MISMATCH)
            else:
                self._success += 1
        for one in fetched:
            if not one.incoming:
                self._fail([one.name], one.error)

    def _fail(self, names: Sequence[str], error: str) -> None:
        for name in names:
            self._operation.log_failure(f"gs://{self._source.bucket}/{name}", error)
        self._failure += len(names)
