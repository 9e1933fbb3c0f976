"""Service Usage, and what the APIs ask it: is an API enabled in the project of a request?"""

from dataclasses import dataclass

from emulator.services.resourcemanager.models import Projects
from emulator.services.serviceusage.models import Services


@dataclass(frozen=True)
class ServiceUsage:
    """The state of Service Usage."""

    projects: Projects
    services: Services


@dataclass(frozen=True)
class ProjectAccess:
    """The projects as one API sees them: only those that have enabled it.

    Attributes:
        api: such as `pubsub.googleapis.com`
    """

    projects: Projects
    services: Services
    api: str

    def resolve(self, id_or_number: str) -> str:
        """Return the id of the project that a path names.

        Raises:
            ApiError: 403 if the project has not enabled the API, 403 or 404 for an invalid project.
        """
        project = self.projects.id_of(id_or_number)
        self.services.require(project, self.api)
        return project

    def id_of(self, id_or_number: str) -> str:
        """Return the id of a project that a body names, whether it has enabled the API or not."""
        return self.projects.id_of(id_or_number)

    def number_of(self, id_or_number: str) -> str:
        """Return the number of a project, whether it has enabled the API or not."""
        return self.projects.number_of(id_or_number)
