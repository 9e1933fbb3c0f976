"""Long-running operation that changes the storage class of instances."""

from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.dicom.instances.models import STORAGE_CLASSES
from emulator.services.healthcare.dicom.operations import filter_config
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.operation_types import operation_type

METHOD = "dicom.DicomService.SetBlobStorageSettings"


def begin(
    dicom: Dicom, resource_path: ResourcePath, body: dict[str, Any], version: str
) -> dict[str, Any]:
    """Check a request and start it.

    Raises:
        ApiError: 400 for an invalid storage class
    """
    wanted = body.get("blobStorageSettings", {}).get("blobStorageClass", "")
    if wanted not in STORAGE_CLASSES:
        allowed = ", ".join(sorted(STORAGE_CLASSES))
        raise invalid_argument(f"invalid blob_storage_class {wanted!r}: {allowed}")
    store = ResourceName.parse(resource_path.store)
    given = filter_config.read_filter_config(dicom, store.project, body)
    if given is not None and resource_path.study:
        raise invalid_argument("filter_config is only allowed if the resource is a DICOM store.")
    uids = (
        [[uid for uid in (resource_path.study, resource_path.series) if uid]]
        if given is None
        else given
    )
    request = {"store": resource_path.store, "places": uids, "class": wanted}
    return dicom.operations.start(str(store.parent), METHOD, request, version=version)


def register(dicom: Dicom) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        request, contents = operation.request, dicom.contents
        resource_paths = filter_config.resolve(request["store"], request["places"])
        changed = 0
        for resource_path in resource_paths:
            changed += contents.set_storage_class(resource_path, request["class"])
        absent = filter_config.log_missing(contents, operation, resource_paths)
        operation.progress(success=changed, failure=absent, pending=0)
        return {}

    dicom.operations.register(operation_type(METHOD, run))
