"""The operations of Artifact Registry: a change is complete when its operation begins.

Documented (https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories):
creation and deletion are operations whose metadata has no fields.
"""

from collections.abc import Callable

from emulator.core.operations.operation_type import Json, OperationRun, OperationType
from emulator.services.artifactregistry.service import ArtifactRegistry

CREATE, DELETE = "artifactregistry.CreateRepository", "artifactregistry.DeleteRepository"
_PACKAGE = "type.googleapis.com/google.devtools.artifactregistry.v1"


def register(registry: ArtifactRegistry) -> None:
    """Register the types of the operations."""

    def created(run: OperationRun) -> Json:
        return registry.repositories.get(run.request["name"])

    for method, run, response in (
        (CREATE, created, f"{_PACKAGE}.Repository"),
        (DELETE, lambda _run: {}, "type.googleapis.com/google.protobuf.Empty"),
    ):
        registry.operations.register(
            OperationType(method, run, _metadata, _constant(response), has_progress=False)
        )


def _metadata(_version: str) -> Json:
    return {"@type": f"{_PACKAGE}.OperationMetadata"}


def _constant(text: str) -> Callable[[str], str]:
    return lambda _version: text
