"""Artifact Registry as its handlers see it."""

from dataclasses import dataclass

from emulator.core.operations.runner import Operations
from emulator.core.resources.stored import StoredResources
from emulator.services.iam.service import Iam
from emulator.services.serviceusage.service import ProjectAccess

API = "artifactregistry.googleapis.com"
COLLECTION = "repositories"


@dataclass(frozen=True)
class ArtifactRegistry:
    """The state of Artifact Registry."""

    iam: Iam
    projects: ProjectAccess
    operations: Operations
    repositories: StoredResources
