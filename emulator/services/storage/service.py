"""Cloud Storage as its handlers see it."""

from dataclasses import dataclass

from emulator.services.iam.service import Iam
from emulator.services.resourcemanager.models import Projects
from emulator.services.storage.backend import Backend
from emulator.services.storage.models import Buckets
from emulator.services.storage.proxy import ReverseProxy


@dataclass(frozen=True)
class Storage:
    """The state of Cloud Storage, and its backend.

    Attributes:
        root_url: the emulator's own address
        iam: knows the accounts that a bucket's policy may name
        projects: the projects that buckets belong to
        backend: the emulator's own calls to fake-gcs-server
        proxy: forwards requests to fake-gcs-server
        buckets: what fake-gcs-server does not keep of a bucket
    """

    root_url: str
    iam: Iam
    projects: Projects
    backend: Backend
    proxy: ReverseProxy
    buckets: Buckets
