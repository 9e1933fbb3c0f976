"""Patches of metadata: of an instance at once, of a study or a series as long-running operation.

Documented (the reference of `updateMetadata`): who returns an operation. Inferred (conformance:
dicom-patch-operation): the names of the methods and of the response; an instance that the patch
does not fit is left as it is, counts as a failure, and the others are patched.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from emulator.core.errors import RPC_CODES, ApiError, aborted, invalid_argument, not_found
from emulator.core.operations.batch_progress import BatchProgress, BatchWork
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.dicom.instances import patched, patching, retrieval
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.group_commit import (
    REFUSED,
    StoreGoneError,
)
from emulator.services.healthcare.dicom.instances.models import STANDARD, InstanceStore
from emulator.services.healthcare.dicom.instances.patching import GONE, PatchTask
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult, discard
from emulator.services.healthcare.dicom.parsing.metadata_patch import Patch
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.operation_types import operation_type

STUDY = f"dicomweb.DicomWebService.{Action.STUDY_PATCHED}"
SERIES = f"dicomweb.DicomWebService.{Action.SERIES_PATCHED}"
_ACTIONS = {STUDY: Action.STUDY_PATCHED, SERIES: Action.SERIES_PATCHED}
BATCH = 8
"""Instances of a task."""
_ATTEMPTS = 5
"""Attempts to patch an instance that other requests change meanwhile."""


def begin(dicom: Dicom, resource_path: ResourcePath, patch: Patch, version: str) -> dict[str, Any]:
    """Start to patch the instances of a study or a series."""
    request = {
        "store": resource_path.store,
        "study": resource_path.study,
        "series": resource_path.series,
        "patch": patch,
    }
    with dicom.context.database.write() as connection:
        patched.forget_ended(connection)
    method = SERIES if resource_path.series else STUDY
    dataset = str(ResourceName.parse(resource_path.store).parent)
    return dicom.operations.start(dataset, method, request, version=version)


def register(dicom: Dicom) -> None:
    """Register the operations, which a restart resumes."""

    def run_of(action: Action) -> Any:
        def run(operation: OperationRun) -> dict[str, Any]:
            _Update(dicom, operation, action).run()
            return {}

        return run

    for method, action in _ACTIONS.items():
        dicom.operations.register(operation_type(method, run_of(action)))


def patch_instance(
    contents: InstanceStore,
    resource_path: ResourcePath,
    patch: Patch,
    action: Action = Action.INSTANCE_PATCHED,
    operation: str = "",
) -> None:
    """Patch the metadata of an instance.

    Raises:
        ApiError: 400, the patch does not fit; 404, the instance does not exist; 409, other requests
            change it all the time
        StoreGoneError: the store was deleted
    """
    for _ in range(_ATTEMPTS):
        [row] = retrieval.instances(contents, resource_path, "sha256")
        path = contents.blobs.path(row["sha256"])
        task = PatchTask([(str(resource_path), path)], contents.blobs.staging, patch)
        [done] = patching.patch_files(task)
        if done.staged is None and done.error != GONE:
            raise invalid_argument(done.error)
        if done.staged is None:
            retrieval.require_files(
                contents,
                resource_path.store,
                retrieval.instances(contents, resource_path),
            )
            continue
        [outcome] = contents.add(resource_path.store, [done.staged], STANDARD, action, operation)
        if outcome not in REFUSED:
            return
    raise aborted(f"Other requests change {resource_path} at the same time: try again.")


class _Update:
    """One run of an operation."""

    def __init__(self, dicom: Dicom, operation: OperationRun, action: Action) -> None:
        request = operation.request
        self._dicom = dicom
        self._contents = dicom.contents
        self._operation = operation
        self._action = action
        self._patch: Patch = request["patch"]
        self._resource_path = ResourcePath(request["store"], request["study"], request["series"])
        total = self._contents.count(self._resource_path)
        self._progress = BatchProgress(operation, total)

    def run(self) -> None:
        """Patch every instance once, also if an earlier run was interrupted.

        Raises:
            ApiError: the store was deleted
        """
        with self._dicom.context.database.read() as connection:
            done = patched.find(connection, self._operation.name)
        self._progress.succeed(len(done))
        self._progress.report()
        work = BatchWork(
            run=patching.patch_files,
            sources=lambda task: [name for name, _ in task.sources],
            store=self._store,
            discard=discard,
            crash="The process that patched this batch of instances crashed.",
        )
        try:
            self._progress.run_batches(self._dicom.workers, work, self._tasks(done))
        except StoreGoneError as error:
            raise not_found(str(error)) from error

    def _tasks(self, done: set[tuple[str, str]]) -> Iterator[PatchTask]:
        blobs = self._contents.blobs
        for page in self._contents.pages(self._resource_path, "study, series, sop, sha256"):
            left = [row for row in page if (row["series"], row["sop"]) not in done]
            for start in range(0, len(left), BATCH):
                sources = [
                    (
                        str(self._instance(row["study"], row["series"], row["sop"])),
                        blobs.path(row["sha256"]),
                    )
                    for row in left[start : start + BATCH]
                ]
                yield PatchTask(sources, blobs.staging, self._patch)

    def _instance(self, study: str, series: str, sop: str) -> ResourcePath:
        return ResourcePath(self._resource_path.store, study, series, sop)

    def _store(self, results: Sequence[FetchResult]) -> None:
        """Replace the instances of a task, and count each."""
        good = [(one.name, one.staged) for one in results if one.staged]
        outcomes = self._contents.add(
            self._resource_path.store,
            [staged for _, staged in good],
            action=self._action,
            operation=self._operation.name,
        )
        for (name, staged), outcome in zip(good, outcomes, strict=True):
            if outcome in REFUSED:
                record = staged.record
                self._again(name, (record.study_uid, record.series_uid, record.sop_uid))
            else:
                self._progress.succeed()
        for one in results:
            if one.staged is None and one.error == GONE:
                uids = one.name.rpartition("/dicomWeb/studies/")[2].split("/")[::2]
                self._again(one.name, (uids[0], uids[1], uids[2]))
            elif one.staged is None:
                self._progress.fail(one.name, one.error)

    def _again(self, name: str, uids: tuple[str, str, str]) -> None:
        """Patch an instance that another request changed meanwhile."""
        try:
            patch_instance(
                self._contents,
                self._instance(*uids),
                self._patch,
                self._action,
                self._operation.name,
            )
        except ApiError as error:
            self._progress.fail(name, str(error), RPC_CODES[error.status])
        else:
            self._progress.succeed()
