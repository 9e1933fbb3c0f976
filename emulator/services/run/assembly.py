"""Cloud Run, put together from its parts."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emulator.core.database import Database
from emulator.services.containers.service import Containers
from emulator.services.iam_api.service import IamApi
from emulator.services.logging.entries import Entries
from emulator.services.run.models import Resources
from emulator.services.run.operations import Operations
from emulator.services.run.running.events import Events
from emulator.services.run.running.executions import Executions
from emulator.services.run.running.processes import Processes
from emulator.services.run.running.rollouts import Rollouts
from emulator.services.run.running.secret_values import SecretValues
from emulator.services.run.service import Run
from emulator.services.run.serving.frontends import Frontends
from emulator.services.run.serving.iap.proxy import IapProxy
from emulator.services.run.serving.iap.tokens import IapTokens
from emulator.services.run.serving.invokers import Invokers
from emulator.services.run.serving.request_log import RequestLog
from emulator.services.secretmanager.service import SecretManager
from emulator.services.serviceusage.service import ProjectAccess

VOLUMES = "run-volumes"
"""In the state folder: the files of secrets, for containers that run."""


def assemble(
    database: Database,
    projects: ProjectAccess,
    iam_api: IamApi,
    containers: Containers,
    secrets: SecretManager,
    entries: Entries,
    on_end: Callable[[str, Mapping[str, Any]], None],
    *,
    folder: Path,
    enforce_iam: bool,
) -> Run:
    """Return Cloud Run.

    Args:
        database: holds its state
        projects: those that have enabled the API
        iam_api: the service accounts
        containers: run its processes
        secrets: Secret Manager
        entries: of Cloud Logging
        on_end: called with the name of each operation that has ended, and its google.rpc.Status
        folder: the state folder
        enforce_iam: whether callers of services are decided by their roles
    """
    resources, events = Resources(database), Events()
    operations = Operations(database, resources, on_end)
    processes = Processes(SecretValues(secrets, folder / VOLUMES))
    policies, number_of = iam_api.iam.policies, iam_api.projects.number_of
    invokers = Invokers(policies, resources, enforce_iam)
    iap_tokens = IapTokens()
    iap = IapProxy(policies, resources, invokers, iap_tokens, number_of, is_enforced=enforce_iam)
    frontends = Frontends(invokers, iap, RequestLog(entries, resources))
    parts = (resources, operations, containers, processes, events)
    return Run(
        iam=iam_api.iam,
        projects=projects,
        iam_api=iam_api,
        resources=resources,
        operations=operations,
        rollouts=Rollouts(*parts, frontends=frontends),
        executions=Executions(*parts),
        frontends=frontends,
        iap_tokens=iap_tokens,
        events=events,
    )
