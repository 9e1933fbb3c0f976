"""Middleware that serves the viewer, once it was fetched, beside the APIs."""

import re
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.core.errors import not_found
from emulator.core.program_name import command
from emulator.core.rest import JsonResponse
from viewer import app_config, cache
from viewer.site import CONFIG_PATH, PAGES, Site

_API = re.compile(r"/(?:v\d|_emulator|bigquery|storage)")
"""Paths of most calls, for which no one looks whether the viewer has been fetched meanwhile."""


class ViewerMiddleware:
    """Answers requests for the viewer's files; every other request is one of an API.

    The viewer's path is the root, where its build expects it: its few paths are none of an API's.
    They need no access decision, as their content is public but for the names of the stores.

    Args:
        app: the APIs
        stores: returns the full names of all DICOM stores
    """

    def __init__(self, app: ASGIApp, stores: Callable[[], Sequence[str]]) -> None:
        self._app = app
        self._stores = stores
        self._site: Site | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for the viewer, or pass it on."""
        response = None
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            response = await self._response(scope)
        await (response or self._app)(scope, receive, send)

    async def _response(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if self._site is None and not _API.match(path) and cache.folder().is_dir():
            self._site = await run_in_threadpool(Site, cache.folder())
        if self._site is None:
            return _not_fetched() if PAGES.fullmatch(path) else None
        if path == CONFIG_PATH:
            return self._site.script(app_config.script(await run_in_threadpool(self._stores)))
        return await self._site.response(path, scope)


def _not_fetched() -> Response:
    error = not_found(f"The viewer is not here yet: `{command('viewer')}` fetches it.")
    return JsonResponse(error.body(), status_code=error.code)
