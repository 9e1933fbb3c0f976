"""Deleting a study or a series, which the API does in an operation."""

from typing import TYPE_CHECKING, Any

from emulator.healthcare.dicom.places import Place
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

STUDY = "dicomweb.DicomWebService.DeleteStudy"
SERIES = "dicomweb.DicomWebService.DeleteSeries"


def begin(cloud: "Cloud", place: Place, version: str) -> dict[str, Any]:
    """Start the deletion of a study or a series."""
    request = {"store": place.store, "study": place.study, "series": place.series}
    method = SERIES if place.series else STUDY
    dataset = place.store.split("/dicomStores/")[0]
    return cloud.operations.start(dataset, method, request, version=version)


def register(cloud: "Cloud") -> None:
    """Have deletions run, and go on after a restart."""

    def run(operation: OperationRun) -> dict[str, Any]:
        request = operation.request
        removed = cloud.dicom.contents.delete(
            Place(request["store"], request["study"], request["series"])
        )
        operation.progress(success=removed, failure=0, pending=0)
        return {}

    for method in (STUDY, SERIES):
        cloud.operations.register(method, run)
