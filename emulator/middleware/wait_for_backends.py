"""Middleware that holds requests for BigQuery and Cloud Storage while their backends start."""

import asyncio
import re
import time
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.core.errors import unavailable
from emulator.core.rest import JsonResponse

MAX_WAIT_SECONDS = 30.0
_POLL_INTERVAL_SECONDS = 0.02
# The paths of both services, and the Healthcare API's methods that read or write there.
_NEEDS_BACKENDS = re.compile(
    r"/(?:bigquery|storage|upload|download|resumable|batch|b)/|.*:(?:import|export|deidentify)$"
)


class Backends(Protocol):
    """The state of the backends, as this middleware sees it."""

    def ready(self) -> bool:
        """Whether they can be used."""

    def failure(self) -> str:
        """Return the permanent failure that keeps them from being ready; empty if there is none."""


class WaitForBackendsMiddleware:
    """Holds a request that needs a backend until all backends are ready.

    The server answers DICOMweb a second or more before bqemulator does. After
    `MAX_WAIT_SECONDS`, or if a backend has failed permanently, the response is a 503.
    """

    def __init__(self, app: ASGIApp, backends: Backends) -> None:
        self._app = app
        self._backends = backends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once its backends are ready, or refuse it."""
        if (
            scope["type"] != "http"
            or self._backends.ready()
            or not _NEEDS_BACKENDS.match(scope["path"])
            or await self._wait()
        ):
            await self._app(scope, receive, send)
            return
        reason = self._backends.failure() or f"they still start after {MAX_WAIT_SECONDS:.0f} s"
        error = unavailable(f"BigQuery and Cloud Storage are not ready: {reason}.")
        await JsonResponse(error.body(), status_code=error.code)(scope, receive, send)

    async def _wait(self) -> bool:
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while not self._backends.ready():
            if self._backends.failure() or time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
        return True
