"""The console's page and its two files; all data comes from the public APIs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent
_FILES = {
    "": ("console.html", "text/html"),
    "console.css": ("console.css", "text/css"),
    "console.js": ("console.js", "text/javascript"),
}
"""Name below `/_console/` -> file and media type."""

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
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def routes() -> Iterator[Route]:
    """Yield every route: all under `/_console/`."""
    for name, (file, media_type) in _FILES.items():
        endpoint = partial(_serve, _FOLDER / file, media_type)
        yield Route(f"/_console/{name}", endpoint, methods=["GET"])


async def _serve(file: Path, media_type: str, _request: Request) -> Response:
    return FileResponse(file, headers=_HEADERS, media_type=media_type)
