"""Cloud Monitoring as its handlers see it."""

from dataclasses import dataclass

from emulator.core.resources.stored import StoredResources
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class Monitoring:
    """The state of Cloud Monitoring, which every project has enabled from the start."""

    projects: Projects
    policies: StoredResources
    channels: StoredResources
