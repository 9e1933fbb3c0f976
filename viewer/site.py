"""The viewer's files as responses: types, caching, and what its pages may load."""

import base64
import hashlib
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from viewer.address import SEPARATOR

CONFIG_PATH = "/app-config.js"
INDEX_PATH = "/index.html"
PAGES = re.compile(rf"/|/viewer(?:/[^/{SEPARATOR}]+(?:{SEPARATOR}[^/{SEPARATOR}]+){{3}})?")
"""Paths that the viewer's script routes: the list, and a study in a data source."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
"""By the end of a file's name: those of the machine differ."""
_OTHER_TYPE = "application/octet-stream"
_HASHED = re.compile(r"[/.][0-9a-f]{16}\.[a-z0-9]+$")
"""Names with a hash of their content."""
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Site:
    """The files of an unpacked viewer; a path that is not one of them has no response.

    Args:
        root: their folder
    """

    def __init__(self, root: Path) -> None:
        files = (file for file in root.rglob("*") if file.is_file())
        self._paths = {f"/{file.relative_to(root).as_posix()}" for file in files}
        self._files = StaticFiles(directory=root)
        policy = _content_security_policy((root / INDEX_PATH[1:]).read_text(encoding="utf-8"))
        self.headers = {
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def response(self, path: str, scope: Scope) -> Response | None:
        """Return the file of a path, the page of one of the viewer's own, or None.

        Args:
            path: of the request
            scope: of the request, whose method is GET or HEAD
        """
        name = INDEX_PATH if PAGES.fullmatch(path) else path
        if name not in self._paths:
            return None
        try:
            response = await self._files.get_response(name[1:], scope)
        except HTTPException:  # the user has deleted the cache meanwhile
            return None
        if isinstance(response, FileResponse):
            response.headers["Content-Type"] = _TYPES.get(Path(name).suffix, _OTHER_TYPE)
        response.headers.update(self.headers)
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if _HASHED.search(name) else "no-cache"
        )
        return response

    def script(self, text: str) -> Response:
        """Return a script that is generated for each request."""
        headers = {**self.headers, "Cache-Control": "no-store"}
        return Response(text, media_type=_TYPES[".js"], headers=headers)


def _content_security_policy(page: str) -> str:
    """Return the policy: everything comes from this origin, inline scripts are those of the page.

    Args:
        page: index.html
    """
    digests = (hashlib.sha256(each.encode()).digest() for each in _INLINE_SCRIPT.findall(page))
    inline = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {inline}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
