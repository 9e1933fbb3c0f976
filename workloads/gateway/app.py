"""The gateway as an ASGI application: identity, limits, roles, then the API or the viewer."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viewer import app_config
from viewer.site import CONFIG_PATH, INDEX_PATH, Site
from workloads.common.logs import Log
from workloads.gateway import paths
from workloads.gateway.errors import RefusedError
from workloads.gateway.identity import Identities
from workloads.gateway.rate_limits import RateLimits
from workloads.gateway.roles import Caller
from workloads.gateway.settings import Settings
from workloads.gateway.upstream import RESPONSE_HEADERS, Upstream, has_body

_API = "/v1/"
_READING = frozenset({"GET", "HEAD"})
_EXPOSED = sorted(RESPONSE_HEADERS - {"content-length", "content-type"})


class Gateway:
    """Decides about each request, and passes it on.

    Args:
        settings: of the gateway
        identities: verify callers
        upstream: the API
        log: has a line for each request
        viewer: the folder of the viewer's files, once they are there; None serves no viewer
    """

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        upstream: Upstream,
        log: Log,
        viewer: Path | None = None,
    ) -> None:
        self._settings = settings
        self._identities = identities
        self._upstream = upstream
        self._log = log
        self._rates = RateLimits(settings.limits.requests_per_minute)
        self._viewer = viewer if settings.has_viewer else None
        self._site: Site | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log it."""
        request = Request(scope, receive)
        line = _Line(request)
        try:
            response = await self._response(request, line)
        except RefusedError as refusal:
            line.fields["refusal"] = str(refusal)
            response = refusal.response()
            if has_body(request):
                # The rest of the body may never come: it must not hold the connection.
                response.headers["Connection"] = "close"
        except ClientDisconnect:
            line.fields["refusal"] = "The client has gone."
            line.write(self._log)
            return
        try:
            await response(scope, receive, _Patient(send, self._settings.limits.idle_seconds, line))
        except TimeoutError:
            line.fields["refusal"] = "The client took no byte of the answer in time."
            raise
        finally:
            line.write(self._log)

    async def _response(self, request: Request, line: "_Line") -> Response:
        caller = await self._identities.caller(request)
        line.fields["caller"] = caller.email
        if wait := self._rates.wait(caller.email):
            raise RefusedError(
                429, f"Too many requests: wait {wait} s.", {"Retry-After": str(wait)}
            )
        path = request.scope["path"]
        is_file = not path.startswith(_API) and request.method in _READING
        if is_file and (file := await self._file(path, request, caller)):
            return file
        self._check_origin(request)
        roles = self._settings.roles
        scope = request.scope
        target = paths.target(
            request.method, scope["raw_path"], scope["query_string"], roles.stores
        )
        line.fields |= {"store": target.store, "path": target.path}
        if not roles.allows(caller, target.store, target.right):
            raise RefusedError(403, f"{caller.email} may not {target.right} in {target.store}.")
        return await self._upstream.call(request, target)

    async def _file(self, path: str, request: Request, caller: Caller) -> Response | None:
        """Return a file of the viewer; None for another path, or without a viewer."""
        if self._site is None and self._viewer and (self._viewer / INDEX_PATH[1:]).is_file():
            self._site = await run_in_threadpool(Site, self._viewer)
        if self._site and path == CONFIG_PATH:
            stores = self._settings.roles.readable(caller)
            return self._site.script(
                app_config.script([name for name in stores if "/dicomStores/" in name])
            )
        return await self._site.response(path, request.scope) if self._site else None

    def _check_origin(self, request: Request) -> None:
        """Refuse a change that a page of another site made with the cookie of a caller."""
        origin = request.headers.get("origin")
        if request.method in _READING or not origin or origin in self._settings.origins:
            return
        if urlsplit(origin).netloc != request.headers.get("host"):
            raise RefusedError(403, f"Pages of {origin!r} may not change anything.")


def application(gateway: Gateway, settings: Settings) -> ASGIApp:
    """Return a gateway that answers the preflight requests of browsers (CORS)."""
    return CORSMiddleware(
        gateway,
        allow_origins=settings.origins,
        allow_methods=("DELETE", "GET", "PATCH", "POST", "PUT"),
        allow_headers=(
            "authorization",
            "content-type",
            "if-match",
            "if-none-exist",
            "prefer",
            "range",
        ),
        allow_credentials=True,
        expose_headers=_EXPOSED,
    )


class _Patient:
    """Sends an answer, and gives up on a client that takes none of it for some time."""

    def __init__(self, send: Send, seconds: float, line: "_Line") -> None:
        self._send = send
        self._seconds = seconds
        self._line = line

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._line.fields["status"] = message["status"]
        self._line.bytes += len(message.get("body", b""))
        await asyncio.wait_for(self._send(message), self._seconds)


class _Line:
    """The line of the log for one request: who, what, where, and what came of it.

    It has no query and no body, which may have patient data, and no header, which may have tokens.
    """

    def __init__(self, request: Request) -> None:
        self.fields: dict[str, object] = {"method": request.method}
        self.bytes = 0
        self._began = time.perf_counter()

    def write(self, log: Log) -> None:
        """Write the line."""
        milliseconds = round((time.perf_counter() - self._began) * 1000, 1)
        log.info("request", **self.fields, response_bytes=self.bytes, milliseconds=milliseconds)
