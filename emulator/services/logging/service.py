"""Cloud Logging as its handlers see it."""

from dataclasses import dataclass

from emulator.services.logging.entries import Entries
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class Logging:
    """The state of Cloud Logging, which every project has enabled from the start."""

    projects: Projects
    entries: Entries
