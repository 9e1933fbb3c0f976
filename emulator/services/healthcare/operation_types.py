"""The types of the Healthcare API's operations.

The shapes are those of its OperationMetadata:
https://cloud.google.com/healthcare-api/docs/how-tos/long-running-operations

Inferred (conformance: export-operation, operation-creation): the types of responses.
"""

from typing import Any

from emulator.core.operations.operation_type import OperationType, Run


def operation_type(
    method: str, run: Run, *, lenient: bool = False, response: str = ""
) -> OperationType:
    """Return the type of a method's operations.

    Args:
        method: its name without package and version, `dicom.DicomService.ImportDicomData`
        run: does the work
        lenient: whether items that fail leave the operation a success
        response: the message of the response; by default it follows from the method
    """

    def metadata(version: str) -> dict[str, Any]:
        return {
            "@type": f"type.googleapis.com/{_package(version)}.OperationMetadata",
            "apiMethodName": f"{_package(version)}.{method}",
        }

    def response_type(version: str) -> str:
        return f"type.googleapis.com/{_package(version)}.{response or _response(method)}"

    return OperationType(method, run, metadata, response_type, lenient)


def _package(version: str) -> str:
    return f"google.cloud.healthcare.{version}"


def _response(method: str) -> str:
    """Return the response of a method: `dicom.X.Import` returns `dicom.ImportResponse`.

    A method that creates something returns it.
    """
    package, _, name = method.split(".")
    created = name.removeprefix("Create")
    return f"{package}.{created}" if created != name else f"{package}.{name}Response"
