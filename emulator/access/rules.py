"""The permission that a call needs, and on what."""

from dataclasses import dataclass

from emulator.core.method_table import AuditedMethod

PUBSUB, KMS, STORAGE, BIGQUERY = "pubsub", "cloudkms", "storage", "bigquery"
SECRETS = "secretmanager"
PROJECTS, LOGGING, COMPUTE = "cloudresourcemanager", "logging", "compute"


@dataclass(frozen=True)
class Requirement:
    """A permission on a resource.

    Attributes:
        service: the API, such as `pubsub`
        permission: such as `pubsub.topics.get`
        resource: the full name of what the permission is needed on; `b/BUCKET` or `b/BUCKET/o/NAME`
            of Cloud Storage
    """

    service: str
    permission: str
    resource: str


def requirement(method: AuditedMethod) -> Requirement:
    """Return what a call of a method needs."""
    service = method.service.partition(".")[0]
    # The credentials of service accounts have an API of their own, and the permissions of IAM.
    return Requirement(service.removesuffix("credentials"), method.permission, method.resource)
