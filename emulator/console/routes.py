"""The console's page, its style sheet and its modules; all data comes from the APIs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.core.route_tree import LazyRoute

_FOLDER = Path(__file__).parent
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_PAGE = "console.html"

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def routes() -> Iterator[Route]:
    """Yield every route: the page at `/_console/`, and its files below."""
    for file in sorted(_FOLDER.rglob("*")):
        if media_type := _MEDIA_TYPES.get(file.suffix):
            name = file.relative_to(_FOLDER).as_posix()
            path = f"/_console/{'' if name == _PAGE else name}"
            # From memory: a browser asks for all of them at once.
            endpoint = partial(_serve, file.read_bytes(), media_type)
            yield LazyRoute(path, endpoint, "GET")


async def _serve(content: bytes, media_type: str, _request: Request) -> Response:
    return Response(content, headers=_HEADERS, media_type=media_type)
