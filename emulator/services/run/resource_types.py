"""The others of resources of Cloud Run that have a template, and what differs between them."""

from dataclasses import dataclass

_PACKAGE = "type.googleapis.com/google.cloud.run.v2"


@dataclass(frozen=True)
class ResourceType:
    """A type of resource.

    Attributes:
        collection: of the resources in a location, such as `services`
        name: such as `Service`
        id_parameter: of the query of a creation, such as `serviceId`
        max_id: the length of an id
    """

    collection: str
    name: str
    id_parameter: str
    max_id: int

    @property
    def message(self) -> str:
        """The message in the discovery document."""
        return f"GoogleCloudRunV2{self.name}"

    @property
    def type_url(self) -> str:
        """The `@type` of the message."""
        return f"{_PACKAGE}.{self.name}"


SERVICE = ResourceType("services", "Service", "serviceId", 49)
JOB = ResourceType("jobs", "Job", "jobId", 63)
WORKER_POOL = ResourceType("workerPools", "WorkerPool", "workerPoolId", 49)
REVISION = ResourceType("revisions", "Revision", "", 63)
EXECUTION = ResourceType("executions", "Execution", "", 63)
TASK = ResourceType("tasks", "Task", "", 63)
RESOURCE_TYPES = {
    resource_type.collection: resource_type
    for resource_type in (SERVICE, JOB, WORKER_POOL, REVISION, EXECUTION, TASK)
}


def type_of(name: str) -> ResourceType:
    """Return the type of a resource by its full name."""
    return RESOURCE_TYPES[name.rsplit("/", 2)[1]]
