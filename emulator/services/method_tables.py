"""The methods of all services: what access control and audit logs know of a call."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import Scope

from emulator.core.discovery import whole_path
from emulator.core.method_table import AuditedMethod
from emulator.services.artifactregistry import methods as artifactregistry
from emulator.services.bigquery import methods as bigquery
from emulator.services.compute import methods as compute
from emulator.services.dataflow import methods as dataflow
from emulator.services.healthcare import audited_methods as healthcare
from emulator.services.iam_api import methods as iam_api
from emulator.services.iap import methods as iap
from emulator.services.kms import methods as kms
from emulator.services.logging import methods as logging
from emulator.services.monitoring import methods as monitoring
from emulator.services.pubsub import methods as pubsub
from emulator.services.resourcemanager import methods as resourcemanager
from emulator.services.run import methods as run
from emulator.services.secretmanager import methods as secretmanager
from emulator.services.serviceusage import methods as serviceusage
from emulator.services.storage import methods as storage

_PARSED = "emulator.audited_method"  # key of the scope
TABLES = (
    pubsub.TABLE,
    kms.TABLE,
    secretmanager.TABLE,
    artifactregistry.TABLE,
    resourcemanager.TABLE,
    serviceusage.TABLE,
    iam_api.TABLE,
    iam_api.CREDENTIALS,
    iap.TABLE,
    logging.TABLE,
    monitoring.TABLE,
    compute.TABLE,
    storage.TABLE,
    bigquery.TABLE,
    storage.XML,
    run.TABLE,
    dataflow.TABLE,
)
"""All services but Healthcare, whose paths need more than a table."""


def method_of_call(scope: Scope) -> AuditedMethod | None:
    """Return the method that an HTTP call is for; parsed once for all the middleware that asks."""
    if _PARSED not in scope:
        scope[_PARSED] = find(scope["method"], scope["path"], Request(scope).query_params)
    method: AuditedMethod | None = scope[_PARSED]
    return method


def find(
    http_method: str, path: str, query: Mapping[str, str] | None = None
) -> AuditedMethod | None:
    """Return the method that a request calls; None for one that no table has.

    Args:
        http_method: such as `GET`
        path: such as `/v1/projects/p1/topics/t1`
        query: the parameters of the query
    """
    if method := healthcare.method_of(http_method, path):
        return method
    whole = whole_path(path)
    found = (table.find(http_method, whole, query) for table in TABLES)
    return next(filter(None, found), None)
