"""Changing the storage class of stored instances, in an operation."""

from typing import TYPE_CHECKING, Any

from emulator.errors import invalid_argument
from emulator.healthcare.dicom import filters
from emulator.healthcare.dicom.models import STORAGE_CLASSES
from emulator.healthcare.dicom.places import Place
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

METHOD = "dicom.DicomService.SetBlobStorageSettings"


def begin(cloud: "Cloud", place: Place, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request and start it.

    Raises:
        ApiError: 400 for a class that is none.
    """
    wanted = body.get("blobStorageSettings", {}).get("blobStorageClass", "")
    if wanted not in STORAGE_CLASSES:
        allowed = ", ".join(sorted(STORAGE_CLASSES))
        raise invalid_argument(f"invalid blob_storage_class {wanted!r}: {allowed}")
    given = filters.read(cloud, place.store.split("/")[1], body)
    if given is not None and place.study:
        raise invalid_argument("filter_config goes with the name of a DICOM store, nothing below")
    uids = [[uid for uid in (place.study, place.series) if uid]] if given is None else given
    request = {"store": place.store, "places": uids, "class": wanted}
    dataset = place.store.split("/dicomStores/")[0]
    return cloud.operations.start(dataset, METHOD, request, version=version)


def register(cloud: "Cloud") -> None:
    """Have changes run, and go on after a restart."""

    def run(operation: OperationRun) -> dict[str, Any]:
        request, contents = operation.request, cloud.dicom.contents
        places = filters.places(request["store"], request["places"])
        changed = sum(contents.set_storage_class(place, request["class"]) for place in places)
        absent = filters.log_absent(contents, operation, places)
        operation.progress(success=changed, failure=absent, pending=0)
        return {}

    cloud.operations.register(METHOD, run)
