"""Long-running operations that de-identify a store into another, or a dataset into a new one.

What is written has the same bytes each time that an operation runs, as all that is new in it comes
from the operation's key. So a run that was interrupted is safe to repeat.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from emulator.core.errors import not_found
from emulator.core.operations.batch_progress import BatchProgress, BatchWork
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.deidentify import config, kms_wrapped_keys, worker
from emulator.services.healthcare.deidentify.fhir_copy import FhirCopy
from emulator.services.healthcare.deidentify.worker import DeidentifyTask
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.group_commit import (
    MISMATCH,
    StoreGoneError,
    StoreResult,
)
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult, discard
from emulator.services.healthcare.dicom.operations import filter_config
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import SERVED_VERSION
from emulator.services.healthcare.operation_types import operation_type
from emulator.services.healthcare.stores.models import Resources

STORE = "dicom.DicomService.DeidentifyDicomStore"
DATASET = "dataset.DatasetService.DeidentifyDataset"
_ACTIONS = {STORE: Action.STORE_DEIDENTIFIED, DATASET: Action.DATASET_DEIDENTIFIED}
_SUMMARIES = {STORE: "DeidentifyDicomStoreSummary", DATASET: "DeidentifySummary"}
BATCH = 8
"""Instances of a task; an instance whose picture is searched is a task of its own."""
KEY_BYTES = 32
_LASTING = ("version", "disableReferentialIntegrity", "disableResourceVersioning")
"""Immutable settings of FHIR stores."""


def begin_store(
    dicom: Dicom,
    source: str,
    destination: str,
    settings: Mapping[str, Any],
    version: str,
    resource_paths: Sequence[Sequence[str]] | None,
) -> dict[str, Any]:
    """Start to de-identify a store into another.

    Args:
        dicom: the DICOM stores
        source: the store's full name
        destination: the full name of the other store
        settings: the DeidentifyConfig
        version: of the API
        resource_paths: UIDs of studies, series or instances; None for all

    Raises:
        ApiError: 400 or 501 for the configuration
    """
    dataset = str(ResourceName.parse(source).parent)
    request = {"stores": {source: destination}, "places": resource_paths}
    return _begin(dicom, STORE, dataset, settings, version, request)


def begin_dataset(
    dicom: Dicom, source: str, destination: str, settings: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """Start to de-identify a dataset into a new one; both by their full names.

    Raises:
        ApiError: 400 or 501 for the configuration
    """
    request = {"source": source, "destination": destination, "places": None}
    return _begin(dicom, DATASET, source, settings, version, request)


def _begin(
    dicom: Dicom,
    method: str,
    dataset: str,
    settings: Mapping[str, Any],
    version: str,
    request: dict[str, Any],
) -> dict[str, Any]:
    config.read(kms_wrapped_keys.unwrap_keys(dicom.context, _project(dataset), settings))
    key = secrets.token_hex(KEY_BYTES)
    request |= {"method": method, "config": settings, "key": key, "version": version}
    return dicom.operations.start(dataset, method, request, version=version)


def _project(name: str) -> str:
    return ResourceName.parse(name).project


def copy_stores(resources: Resources, source: str, destination: str) -> dict[str, str]:
    """Create a dataset with empty copies of another's DICOM and FHIR stores, unless they exist.

    FHIR stores take over what can't be set later. Notifications and streams are not copied:
    they would report the copy to the subscribers and tables of the original. The service does not
    de-identify other types of stores.

    Returns:
        Each store of the source with its counterpart
    """
    _make(resources, destination, {"timeZone": resources.get(source)["timeZone"]})
    stores: dict[str, str] = {}
    for collection in ("fhirStores", "dicomStores"):
        for store in resources.list(source, collection):
            counterpart = f"{destination}/{collection}/{store['name'].rpartition('/')[2]}"
            _make(resources, counterpart, {k: store[k] for k in _LASTING if k in store})
            stores[store["name"]] = counterpart
    return stores


def _make(resources: Resources, name: str, body: dict[str, Any]) -> None:
    if not resources.exists(name):
        collection, _, resource_id = name.rpartition("/")
        resources.create(collection, resource_id, body)


def register(dicom: Dicom, fhir: Fhir) -> None:
    """Register the operations, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Deidentification(dicom, fhir, operation).run()
        package = f"google.cloud.healthcare.{operation.request['version']}.deidentify"
        summary = _SUMMARIES[operation.request["method"]]
        return {"@type": f"type.googleapis.com/{package}.{summary}"}

    for method in _SUMMARIES:
        # An instance that can't be de-identified is left out and named in the log.
        dicom.operations.register(operation_type(method, run, lenient=True))


class _Deidentification:
    """One run of a de-identification."""

    def __init__(self, dicom: Dicom, fhir: Fhir, operation: OperationRun) -> None:
        self._dicom = dicom
        self._fhir = fhir
        self._contents = dicom.contents
        self._operation = operation
        self._settings = kms_wrapped_keys.unwrap_keys(
            dicom.context, _project(operation.name), operation.request["config"]
        )
        stores = self._stores()
        self._copies = [
            self._copy(source, destination)
            for source, destination in stores.items()
            if "/fhirStores/" in source and fhir.store(source).get("version") == SERVED_VERSION
        ]
        self._work = [
            (resource_path, destination)
            for source, destination in stores.items()
            if "/dicomStores/" in source
            for resource_path in filter_config.resolve(source, operation.request["places"])
        ]
        resource_paths = [resource_path for resource_path, _ in self._work]
        self._progress = BatchProgress(
            operation,
            total=sum(self._contents.count(resource_path) for resource_path in resource_paths)
            + sum(copy.count() for copy in self._copies),
            failure=filter_config.log_missing(self._contents, operation, resource_paths),
        )

    def _stores(self) -> dict[str, str]:
        request = self._operation.request
        stores: dict[str, str] | None = request.get("stores")
        if stores is not None:
            return stores
        return copy_stores(
            self._dicom.context.stores.resources, request["source"], request["destination"]
        )

    def _copy(self, source: str, destination: str) -> FhirCopy:
        rules = config.read_fhir(self._settings)
        key = bytes.fromhex(self._operation.request["key"])
        return FhirCopy(self._fhir, source, destination, rules, key, (), instants.MAX_VERSION)

    def run(self) -> None:
        """De-identify every instance and resource.

        Raises:
            ApiError: a destination store is gone
        """
        self._progress.report()
        try:
            for resource_path, destination in self._work:
                self._run(resource_path, destination)
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        for copy in self._copies:
            copy.run(self._progress)

    def _run(self, resource_path: ResourcePath, destination: str) -> None:
        work = BatchWork(
            run=worker.deidentify_files,
            sources=lambda task: [name for name, _ in task.sources],
            store=partial(self._store, destination),
            discard=discard,
            crash="The process that de-identified this batch of instances crashed.",
        )
        self._progress.run_batches(self._dicom.workers, work, self._tasks(resource_path))

    def _tasks(self, resource_path: ResourcePath) -> Iterator[DeidentifyTask]:
        blobs = self._contents.blobs
        batch = 1 if config.read(self._settings).pixels.looks else BATCH
        key = bytes.fromhex(self._operation.request["key"])
        for page in self._contents.pages(resource_path, "study, series, sop, sha256"):
            for start in range(0, len(page), batch):
                sources = [
                    (
                        str(
                            ResourcePath(
                                resource_path.store, row["study"], row["series"], row["sop"]
                            )
                        ),
                        blobs.path(row["sha256"]),
                    )
                    for row in page[start : start + batch]
                ]
                yield DeidentifyTask(sources, blobs.staging, self._settings, key)

    def _store(self, destination: str, done: Sequence[FetchResult]) -> None:
        """Store the de-identified instances of a task, and count each."""
        good = [(one.name, one.staged) for one in done if one.staged]
        outcomes = self._contents.add(
            destination,
            [staged for _, staged in good],
            action=_ACTIONS[self._operation.request["method"]],
        )
        for (name, _), outcome in zip(good, outcomes, strict=True):
            if outcome is StoreResult.MISMATCH:
                self._progress.fail(name, MISMATCH)
            else:
                self._progress.succeed()
        for one in done:
            if not one.staged:
                self._progress.fail(one.name, one.error)
