"""Dataflow as its handlers see it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.services.dataflow.jobs import Jobs
from emulator.services.dataflow.running import Runner
from emulator.services.iam_api.service import IamApi
from emulator.services.logging.entries import Entries
from emulator.services.serviceusage.service import ProjectAccess

API = "dataflow.googleapis.com"


@dataclass(frozen=True)
class Dataflow:
    """The state of Dataflow.

    Attributes:
        projects: those that have enabled the API
        iam_api: the service accounts
        jobs: all of them
        runner: runs them
        entries: of Cloud Logging, with the counters of workers
        read: returns an object of Cloud Storage, by bucket and name; raises ApiError
        lock: held while a call adds a job
    """

    projects: ProjectAccess
    iam_api: IamApi
    jobs: Jobs
    runner: Runner
    entries: Entries
    read: Callable[[str, str], bytes]
    lock: threading.Lock = field(default_factory=threading.Lock)
