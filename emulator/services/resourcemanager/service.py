"""Resource Manager as its handlers see it."""

from dataclasses import dataclass

from emulator.services.iam.service import Iam
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class ResourceManager:
    """The state of Resource Manager."""

    iam: Iam
    projects: Projects
