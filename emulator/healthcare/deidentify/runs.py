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
from emulator.healthcare.deidentify import config, files, wrapped_keys
from emulator.healthcare.deidentify.files import Task
from emulator.healthcare.dicom import filters
from emulator.healthcare.dicom.additions import MISMATCH, Outcome, StoreGoneError
from emulator.healthcare.dicom.fetching import Fetched, discard
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.models import Resources
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

STORE = "dicom.DicomService.DeidentifyDicomStore"
DATASET = "dataset.DatasetService.DeidentifyDataset"
_SUMMARIES = {STORE: "DeidentifyDicomStoreSummary", DATASET: "DeidentifySummary"}
BATCH = 8
"""Instances a task, if no picture is read: that takes long enough for a task of its own."""
KEY_BYTES = 32
_LASTING = ("version", "disableReferentialIntegrity", "disableResourceVersioning")
"""Settings of FHIR stores that no patch can change."""


def begin_store(
    cloud: "Cloud",
    source: str,
    destination: str,
    settings: Mapping[str, Any],
    version: str,
    places: Sequence[Sequence[str]] | None,
) -> dict[str, Any]:
    """Start to de-identify a store into another.

    Args:
        cloud: the local cloud.
        source: the store's full name.
        destination: the other's.
        settings: the DeidentifyConfig.
        version: of the API.
        places: UIDs of studies, series or instances, if not all is wanted.

    Raises:
        ApiError: 400 or 501 for the configuration.
    """
    dataset = source.rpartition("/dicomStores/")[0]
    request = {"stores": {source: destination}, "places": places}
    return _begin(cloud, STORE, dataset, settings, version, request)


def begin_dataset(
    cloud: "Cloud", source: str, destination: str, settings: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """Start to de-identify a dataset into a new one; both by their full names.

    Raises:
        ApiError: 400 or 501 for the configuration.
    """
    request = {"source": source, "destination": destination, "places": None}
    return _begin(cloud, DATASET, source, settings, version, request)


def _begin(
    cloud: "Cloud",
    method: str,
    dataset: str,
    settings: Mapping[str, Any],
    version: str,
    request: dict[str, Any],
) -> dict[str, Any]:
    config.read(wrapped_keys.unwrapped(cloud, _project(dataset), settings))
    key = secrets.token_hex(KEY_BYTES)
    request |= {"method": method, "config": settings, "key": key, "version": version}
    return cloud.operations.start(dataset, method, request, version=version)


def _project(name: str) -> str:
    return name.split("/")[1]


def copy_stores(resources: Resources, source: str, destination: str) -> dict[str, str]:
    """Make a dataset with the DICOM and FHIR stores of another, still empty, as far as need be.

    FHIR stores take over what can't be set later. Notifications and streams are not taken over:
    they would tell of the copy where the original is told of. Other kinds of stores are none that
    the service de-identifies.

    Returns:
        Each DICOM store of the source with its counterpart.
    """
    _make(resources, destination, {"timeZone": resources.get(source)["timeZone"]})
    stores: dict[str, str] = {}
    for kind in ("fhirStores", "dicomStores"):
        for store in resources.list(source, kind):
            counterpart = f"{destination}/{kind}/{store['name'].rpartition('/')[2]}"
            _make(resources, counterpart, {k: store[k] for k in _LASTING if k in store})
            if kind == "dicomStores":
                stores[store["name"]] = counterpart
    return stores


def _make(resources: Resources, name: str, body: dict[str, Any]) -> None:
    if not resources.exists(name):
        collection, _, resource_id = name.rpartition("/")
        resources.create(collection, resource_id, body)


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
        self._settings = wrapped_keys.unwrapped(
            cloud, _project(operation.name), operation.request["config"]
        )
        self._work = [
            (place, destination)
            for source, destination in self._stores().items()
            for place in filters.places(source, operation.request["places"])
        ]
        self._total = sum(self._contents.count(place) for place, _ in self._work)
        self._success = 0
        places = [place for place, _ in self._work]
        self._failure = filters.log_absent(self._contents, operation, places)

    def _stores(self) -> dict[str, str]:
        request = self._operation.request
        stores: dict[str, str] | None = request.get("stores")
        if stores is not None:
            return stores
        return copy_stores(self._cloud.healthcare, request["source"], request["destination"])

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
        batch = 1 if config.read(self._settings).pixels.looks else BATCH
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
                yield Task(sources, blobs.incoming, self._settings, key)

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
