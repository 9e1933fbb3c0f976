"""Middleware that refuses requests of web pages, but for those of this machine (CORS)."""

import re

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.core.errors import ApiError, permission_denied
from emulator.core.rest import JsonResponse

_LOOPBACK = r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"
_HOST = re.compile(_LOOPBACK, re.IGNORECASE)
_ORIGIN = re.compile(f"(?i:https?://{_LOOPBACK})")
_EXPOSED = ("Content-Length", "Content-Range", "ETag", "Location", "Range", "Retry-After")
"""Headers that a page may read besides the safelisted ones, of which Content-Type is one."""
_MAX_AGE_SECONDS = 3600
"""Time for which a browser keeps the response to a preflight request."""


class LoopbackOnlyMiddleware:
    """Refuses requests from web pages of other machines.

    The Host header must name this machine, which prevents DNS rebinding. A request of a page has an
    Origin header, which no client library sends: it must name this machine too. A page of this
    machine, such as a viewer on another port, may read every response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._for_pages = CORSMiddleware(
            app,
            allow_origin_regex=_ORIGIN.pattern,
            allow_methods=("*",),
            allow_headers=("*",),
            allow_credentials=True,
            expose_headers=_EXPOSED,
            max_age=_MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            request = Request(scope)
            error = _refusal(request)
            if error is not None:
                await JsonResponse(error.body(), status_code=error.code)(scope, receive, send)
                return
            if "origin" in request.headers:
                await self._for_pages(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(request: Request) -> ApiError | None:
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        named = ", ".join(hosts)
        return permission_denied(
            f"The Host header names {named!r}: the local Google Cloud serves localhost only."
        )
    for origin in request.headers.getlist("origin"):
        if not _ORIGIN.fullmatch(origin):
            return permission_denied(f"Requests from the origin {origin!r} are refused.")
    return None
