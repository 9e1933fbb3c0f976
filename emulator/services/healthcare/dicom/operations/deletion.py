"""Long-running operations that delete a study or a series.

Inferred (conformance: operation-deletion): the method's name, the counter and the response.
"""

from typing import Any

from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.operation_types import operation_type

STUDY = "dicomweb.DicomWebService.DeleteStudy"
SERIES = "dicomweb.DicomWebService.DeleteSeries"


def begin(dicom: Dicom, resource_path: ResourcePath, version: str) -> dict[str, Any]:
    """Start the deletion of a study or a series."""
    request = {
        "store": resource_path.store,
        "study": resource_path.study,
        "series": resource_path.series,
    }
    method = SERIES if resource_path.series else STUDY
    dataset = str(ResourceName.parse(resource_path.store).parent)
    return dicom.operations.start(dataset, method, request, version=version)


def register(dicom: Dicom) -> None:
    """Register the operations, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        request = operation.request
        resource_path = ResourcePath(request["store"], request["study"], request["series"])
        deleted = dicom.contents.delete(resource_path)
        operation.progress(success=deleted, failure=0, pending=0)
        return {}

    for method in (STUDY, SERIES):
        dicom.operations.register(operation_type(method, run))
