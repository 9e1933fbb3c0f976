"""Identity-Aware Proxy as its handlers see it."""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.services.iam.service import Iam
from emulator.services.serviceusage.service import ProjectAccess

API = "iap.googleapis.com"


@dataclass(frozen=True)
class Iap:
    """The policies of the proxy.

    Attributes:
        iam: the policies of all resources
        projects: those that have enabled the API
        has_service: whether a Cloud Run service exists, by its full name
    """

    iam: Iam
    projects: ProjectAccess
    has_service: Callable[[str], bool]
