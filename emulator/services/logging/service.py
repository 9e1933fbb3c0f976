"""Cloud Logging as its handlers see it."""

from dataclasses import dataclass

from emulator.core.resources.stored import StoredResources
from emulator.services.iam.service import Iam
from emulator.services.logging.entries import Entries
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class Logging:
    """The state of Cloud Logging, which every project has enabled from the start."""

    iam: Iam
    projects: Projects
    entries: Entries
    sinks: StoredResources
    metrics: StoredResources
