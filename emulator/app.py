"""The emulated services as one web application, and the rules that hold for every request."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator import discovery, disk
from emulator.bigquery.routes import routes as bigquery
from emulator.cloud import Cloud
from emulator.control.models import NoNeighbours
from emulator.control.routes import routes as control
from emulator.errors import ApiError, internal, not_found, permission_denied, unimplemented
from emulator.faults.middleware import FaultsOnDemand
from emulator.faults.models import Faults
from emulator.faults.routes import routes as faults
from emulator.healthcare.dicom.routes import routes as dicom
from emulator.healthcare.routes import routes as healthcare
from emulator.http import JsonResponse
from emulator.kms.routes import routes as kms
from emulator.pubsub.routes import routes as pubsub
from emulator.resourcemanager.routes import routes as resourcemanager
from emulator.rewriting import Inflated, MethodOverride
from emulator.serviceusage.routes import routes as serviceusage
from emulator.storage.forwarding import Forwarder
from emulator.storage.routes import objects
from emulator.storage.routes import routes as storage

LOG = logging.getLogger(__name__)
_HERE = r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"
_HOST = re.compile(_HERE, re.IGNORECASE)
_ORIGIN = re.compile(f"https?://{_HERE}", re.IGNORECASE)


def create_app(cloud: Cloud) -> Starlette:
    """The application over one state. Closing the application closes the state."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        neighbours = app.state.neighbours
        # With one that is given up they end, with the error that says so.
        cloud.operations.resume_interrupted(lambda: neighbours.ready() or neighbours.trouble())
        cloud.delivery.start()
        cloud.dicom.streams.start()
        yield
        await app.state.storage.aclose()
        await run_in_threadpool(cloud.close)

    app = Starlette(
        # The first route that matches answers, so the narrow ones come first; of these those that
        # are called most.
        routes=[
            *dicom(),
            *control(),
            *faults(),
            *bigquery(),
            *storage(),
            *healthcare(),
            *pubsub(),
            *kms(),
            *serviceusage(),
            *resourcemanager(),
            *objects(),
        ],
        middleware=[
            Middleware(LoopbackOnly),
            Middleware(Inflated),
            Middleware(MethodOverride),
            Middleware(FaultsOnDemand),
        ],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _http_error,
            Exception: _unexpected,
            **dict.fromkeys(disk.TROUBLE, _disk_error),
        },
        lifespan=lifespan,
    )
    app.state.cloud = cloud
    app.state.storage = Forwarder(cloud.storage_url)
    app.state.neighbours = NoNeighbours()
    app.state.faults = Faults()
    return app


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JsonResponse(error.body(), status_code=error.code)


async def _http_error(request: Request, error: Exception) -> Response:
    """What no route serves."""
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


async def _disk_error(request: Request, error: Exception) -> Response:
    answer = disk.refusal(error, request.app.state.cloud.settings.state_dir)
    if answer is None:
        raise error
    LOG.error("the disk refuses: %s", answer.message)
    return await _api_error(request, answer)


async def _unexpected(_request: Request, error: Exception) -> Response:
    # Starlette itself logs the traceback; the answer tells nothing of it.
    LOG.error("unexpected %s", type(error).__name__)
    answer = internal("Internal error; `python -m emulator logs` tells more.")
    return JsonResponse(answer.body(), status_code=500)


class LoopbackOnly:
    """Refuses what a page in somebody's browser could send.

    The Host header must name this machine, or a foreign name could be rebound to it; and a request
    that a page of another origin makes carries an Origin header, which no client library sends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            request = Request(scope)
            error = _foreign(request)
            if error is not None:
                await JsonResponse(error.body(), status_code=error.code)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign(request: Request) -> ApiError | None:
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        named = ", ".join(hosts)
        return permission_denied(
            f"The Host header names {named!r}: the local Google Cloud answers to localhost only."
        )
    for origin in request.headers.getlist("origin"):
        if not _ORIGIN.fullmatch(origin):
            return permission_denied(f"Requests from the origin {origin!r} are refused.")
    return None
