"""The emulated services as one web application, and the rules that hold for every request."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.access.decisions import Decisions
from emulator.access.middleware import EnforceIamMiddleware
from emulator.cloud import Cloud
from emulator.console.routes import routes as console_routes
from emulator.control.models import Backends, Control, Inspected, NoBackends
from emulator.control.routes import routes as control_routes
from emulator.core import discovery, disk
from emulator.core.errors import ApiError, internal, not_found, unimplemented
from emulator.core.program_name import command
from emulator.core.rest import JsonResponse
from emulator.core.route_tree import RouteTree
from emulator.faults.middleware import FaultInjectionMiddleware
from emulator.faults.models import Faults
from emulator.faults.routes import routes as fault_routes
from emulator.middleware.audit_log import AuditLogMiddleware
from emulator.middleware.gzip_request import GzipRequestMiddleware
from emulator.middleware.loopback_only import LoopbackOnlyMiddleware
from emulator.middleware.method_override import MethodOverrideMiddleware
from emulator.middleware.viewer import ViewerMiddleware
from emulator.middleware.wait_for_backends import WaitForBackendsMiddleware
from emulator.services.artifactregistry.routes import routes as artifactregistry
from emulator.services.bigquery.routes import routes as bigquery
from emulator.services.compute.routes import routes as compute
from emulator.services.dataflow.routes import routes as dataflow
from emulator.services.healthcare.routes import routes as healthcare
from emulator.services.iam_api.routes import routes as iam_api
from emulator.services.iap.routes import routes as iap_routes
from emulator.services.kms.routes import routes as kms
from emulator.services.logging.routes import routes as logging_routes
from emulator.services.monitoring.routes import routes as monitoring
from emulator.services.pubsub.routes import routes as pubsub
from emulator.services.resourcemanager.routes import routes as resourcemanager
from emulator.services.run.routes import routes as run_routes
from emulator.services.secretmanager.routes import routes as secretmanager
from emulator.services.serviceusage.routes import routes as serviceusage
from emulator.services.storage.routes import routes as storage

LOG = logging.getLogger(__name__)


def create_app(cloud: Cloud, backends: Backends | None = None) -> Starlette:
    """Return the application over one state. Closing the application closes the state.

    Args:
        cloud: the state of all services
        backends: the processes of BigQuery and Cloud Storage; by default none
    """
    beside = backends or NoBackends()
    faults = Faults()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # If a backend has failed permanently, operations resume too: they end with its error.
        cloud.operations.resume_interrupted(lambda: beside.ready() or beside.failure())
        cloud.start()
        yield
        await cloud.storage.proxy.aclose()
        await run_in_threadpool(cloud.close)

    async def disk_error(request: Request, error: Exception) -> Response:
        answer = disk.disk_error(error, cloud.settings.state_dir)
        if answer is None:
            raise error
        LOG.error("the disk refuses: %s", answer.message)
        return await _api_error(request, answer)

    inspected = Inspected(
        cloud.healthcare.resources, cloud.iam.policies, cloud.pubsub, cloud.containers
    )
    control = Control(beside, cloud.operations, cloud.reset, inspected)
    return Starlette(
        routes=[
            RouteTree(
                [
                    *control_routes(control),
                    *console_routes(),
                    *fault_routes(faults),
                    *routes_of(cloud),
                ]
            ),
        ],
        middleware=[
            Middleware(LoopbackOnlyMiddleware),
            Middleware(
                ViewerMiddleware, stores=lambda: cloud.healthcare.resources.stores("dicomStores")
            ),
            Middleware(GzipRequestMiddleware),
            Middleware(MethodOverrideMiddleware),
            Middleware(
                AuditLogMiddleware,
                audit=cloud.audit,
                projects=cloud.projects,
                buckets=cloud.storage.buckets,
            ),
            *_access_control(cloud),
            Middleware(FaultInjectionMiddleware, faults=faults),
            Middleware(WaitForBackendsMiddleware, backends=beside),
        ],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _http_error,
            Exception: _unexpected,
            **dict.fromkeys(disk.DISK_ERRORS, disk_error),
        },
        lifespan=lifespan,
    )


def _access_control(cloud: Cloud) -> Iterator[Middleware]:
    if cloud.settings.enforce_iam:
        decisions = Decisions(
            cloud.projects, cloud.iam.policies, cloud.storage.buckets, cloud.bigquery.metadata
        )
        yield Middleware(EnforceIamMiddleware, decisions=decisions)


def routes_of(cloud: Cloud) -> Iterator[Route]:
    """Yield the routes of all services."""
    yield from bigquery(cloud.bigquery)
    yield from storage(cloud.storage)
    yield from healthcare(cloud.healthcare)
    yield from pubsub(cloud.pubsub)
    yield from kms(cloud.kms)
    yield from secretmanager(cloud.secret_manager)
    yield from artifactregistry(cloud.artifact_registry)
    yield from logging_routes(cloud.logging)
    yield from monitoring(cloud.monitoring)
    yield from serviceusage(cloud.service_usage)
    yield from resourcemanager(cloud.resource_manager)
    yield from iam_api(cloud.iam_api)
    yield from compute(cloud.compute)
    yield from run_routes(cloud.run)
    yield from dataflow(cloud.dataflow)
    yield from iap_routes(cloud.iap)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JsonResponse(error.body(), status_code=error.code)


async def _http_error(request: Request, error: Exception) -> Response:
    """Return the error for a path without a route."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if method := discovery.method_of(request.method, path):
        answer = unimplemented(f"{method} is not served by the local Google Cloud yet.")
    elif error.status_code == 405:
        answer = ApiError(405, "INVALID_ARGUMENT", f"{request.method} is not served on {path}.")
    elif error.status_code == 404:
        answer = not_found(f"No such path: {path}.")
    else:
        answer = ApiError(error.status_code, "INVALID_ARGUMENT", str(error.detail))
    return JsonResponse(answer.body(), status_code=answer.code)


async def _unexpected(_request: Request, error: Exception) -> Response:
    # Starlette logs the traceback; the response does not contain it.
    LOG.error("unexpected %s", type(error).__name__)
    answer = internal(f"Internal error. The log has more: `{command('logs')}`.")
    return JsonResponse(answer.body(), status_code=500)
