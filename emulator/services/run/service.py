"""Cloud Run as its handlers see it."""

import threading
from dataclasses import dataclass, field
from functools import partial

from emulator.services.iam.service import Iam
from emulator.services.iam_api.service import IamApi
from emulator.services.run import conditions
from emulator.services.run.models import Resources
from emulator.services.run.operations import Operations
from emulator.services.run.resource_types import JOB, SERVICE, WORKER_POOL, type_of
from emulator.services.run.running.events import Events
from emulator.services.run.running.executions import Executions
from emulator.services.run.running.rollouts import Rollouts
from emulator.services.run.serving.frontends import Frontends
from emulator.services.run.serving.iap.tokens import IapTokens
from emulator.services.serviceusage.service import ProjectAccess

API = "run.googleapis.com"


@dataclass(frozen=True)
class Run:
    """The state of Cloud Run.

    Attributes:
        iam: the policies of resources
        projects: those that have enabled the API
        iam_api: the service accounts
        resources: services, jobs, worker pools and what belongs to them
        operations: the long-running ones
        rollouts: run services and worker pools
        executions: run jobs
        frontends: the addresses of services
        iap_tokens: of callers that pass Identity-Aware Proxy
        events: the thread of all changes
        lock: held while a call changes a resource
    """

    iam: Iam
    projects: ProjectAccess
    iam_api: IamApi
    resources: Resources
    operations: Operations
    rollouts: Rollouts
    executions: Executions
    frontends: Frontends
    iap_tokens: IapTokens
    events: Events
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has_service(self, name: str) -> bool:
        """Whether a service exists, by its full name."""
        return self.resources.find(name) is not None

    def start(self) -> None:
        """Run what ran when the emulator stopped, and continue what it interrupted."""
        for name in self.operations.pending():
            self._end_interrupted(name)
        for body in self.resources.below("projects/"):
            name, resource_type = body["name"], type_of(body["name"])
            if resource_type in (SERVICE, WORKER_POOL):
                change = self.rollouts.remove if "deleteTime" in body else self.rollouts.roll_out
                self.events.add(partial(change, name))
            elif "deleteTime" in body:
                self.events.add(partial(self.executions.remove, name))
            elif "/executions/" in name and "/tasks/" not in name and resource_type is not JOB:
                self.events.add(partial(self.executions.advance, name))

    def _end_interrupted(self, name: str) -> None:
        """End the operations on a resource whose change was over when the emulator stopped."""
        body = self.resources.find(name)
        if body is None:
            self.operations.finish(name, {"name": name})
        elif not (body.get("reconciling") or "deleteTime" in body):
            self.operations.finish(name, body, conditions.failure(body))

    def close(self) -> None:
        """Stop the addresses; containers are stopped by their own service."""
        self.events.close()
        self.frontends.stop()

    def reset(self) -> None:
        """Stop and delete everything; changes that were added before find nothing."""
        self.events.call(self.rollouts.reset)
