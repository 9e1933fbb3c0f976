"""The operations that de-identify: of a store into another, of a dataset into a new one.

What is written has the same bytes each time that an operation runs, as all that is new in it comes
from the operation's key. So a run that was interrupted is safe to repeat.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import TYPE_CHECKING, Any

from emulator.errors import not_found
from emulator.healthcare.deidentify import config, files
from emulator.healthcare.deidentify.files import Task
from emulator.healthcare.dicom import filters
from emulator.healthcare.dicom.fetching import Fetched, discard
from emulator.healthcare.dicom.models import MISMATCH, Outcome, Place, StoreGoneError
from emulator.operations import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

STORE = "dicom.DicomService.DeidentifyDicomStore"
DATASET = "dataset.DatasetService.DeidentifyDataset"
_SUMMARIES = {STORE: "DeidentifyDicomStoreSummary", DATASET: "DeidentifySummary"}
BATCH = 8
"""Instances a task, if no picture is read: that takes long enough for a task of its own."""
KEY_BYTES = 32


def begin(
    cloud: "Cloud",
    method: str,
    dataset: str,
    stores: Mapping[str, str],
    settings: Mapping[str, Any],
    version: str,
    places: Sequence[Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Start an operation.

    Args:
        cloud: the local cloud.
        method: `STORE` or `DATASET`.
        dataset: the source dataset, whose operation it is.
        stores: source store -> destination store.
        settings: the DeidentifyConfig.
        version: of the API.
        places: UIDs of studies, series or instances, if not all is wanted.

    Raises:
        ApiError: 400 or 501 for the configuration.
    """
    config.read(settings)
    request = {
        "method": method,
        "stores": dict(stores),
        "config": settings,
        "key": secrets.token_hex(KEY_BYTES),
        "places": places,
        "version": version,
    }
    return cloud.operations.start(dataset, method, request, version=version)


def register(cloud: "Cloud") -> None:
    """Have de-identifications run, and go on after a restart."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Deidentification(cloud, operation).run()
        package = f"google.cloud.healthcare.{operation.request['version']}.deidentify"
        summary = _SUMMARIES[operation.request["method"]]
        return {"@type": f"type.googleapis.com/{package}.{summary}"}

    for method in _SUMMARIES:
        # An instance that can't be de-identified is left out, and told of in the log.
        cloud.operations.register(method, run, lenient=True)


class _Deidentification:
    """One run of a de-identification."""

    def __init__(self, cloud: "Cloud", operation: OperationRun) -> None:
        self._cloud = cloud
        self._contents = cloud.dicom.contents
        self._operation = operation
        self._work = [
            (place, destination)
            for source, destination in operation.request["stores"].items()
            for place in filters.places(source, operation.request["places"])
        ]
        self._total = sum(self._contents.count(place) for place, _ in self._work)
        self._success = 0
        places = [place for place, _ in self._work]
        self._failure = filters.log_absent(self._contents, operation, places)

    def run(self) -> None:
        """De-identify every instance.

        Raises:
            ApiError: a destination store is gone.
        """
        self._report()
        try:
            for place, destination in self._work:
                self._run(place, destination)
        except StoreGoneError as error:
            raise not_found(str(error)) from error

    def _run(self, place: Place, destination: str) -> None:
        results = self._cloud.dicom.workers.map(files.run, self._tasks(place), discard)
        with closing(results):
            for task, done in results:
                self._take(destination, task, done)

    def _tasks(self, place: Place) -> Iterator[Task]:
        blobs = self._contents.blobs
        settings = self._operation.request["config"]
        batch = 1 if config.read(settings).pixels.looks else BATCH
        key = bytes.fromhex(self._operation.request["key"])
        for page in self._contents.pages(place, "study, series, sop, sha256"):
            for start in range(0, len(page), batch):
                sources = [
                    (
                        f"{place.store}/dicomWeb/studies/{row['study']}"
                        f"/series/{row['series']}/instances/{row['sop']}",
                        blobs.path(row["sha256"]),
                    )
                    for row in page[start : start + batch]
                ]
                yield Task(sources, blobs.incoming, settings, key)

    def _take(
        self, destination: str, task: Task, done: Sequence[Fetched] | BrokenProcessPool
    ) -> None:
        if isinstance(done, BrokenProcessPool):
            for name, _ in task.sources:
                self._fail(name, "A process that de-identifies died of one of these.")
        else:
            try:
                self._keep(destination, done)
            finally:
                discard(done)
        self._report()
        self._operation.check_cancelled()

    def _keep(self, destination: str, done: Sequence[Fetched]) -> None:
        good = [(one.name, one.incoming) for one in done if one.incoming]
        outcomes = self._contents.add(destination, [incoming for _, incoming in good])
        for (name, _), outcome in zip(good, outcomes, strict=True):
            if outcome is Outcome.MISMATCH:
                self._fail(name, MISMATCH)
            else:
                self._success += 1
        for one in done:
            if not one.incoming:
                self._fail(one.name, one.error)

    def _fail(self, name: str, error: str) -> None:
        self._failure += 1
        self._operation.log_failure(name, error)

    def _report(self) -> None:
        pending = max(0, self._total - self._success - self._failure)
        self._operation.progress(success=self._success, failure=self._failure, pending=pending)
