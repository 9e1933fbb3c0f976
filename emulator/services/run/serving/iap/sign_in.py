"""The page where a person of the local Google Cloud chooses an account: there are no passwords."""

import html
import re
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

PATH = "/_gcp_iap/sign_in"
"""Below the paths that Identity-Aware Proxy keeps for itself."""
CLEAR_PATH = "/_gcp_iap/clear_login_cookie"
"""Documented: https://cloud.google.com/iap/docs/sessions-howto."""
COOKIE = "GCP_IAP_LOCAL_USER"
_EMAIL = re.compile(r"[^@\s,;:\"<>\\]+@[^@\s,;:\"<>\\]+")
_MAX_BYTES = 4_096
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
<body><main><h1>Sign in to the local Google Cloud</h1>
<p>Nothing is verified here: every address gets in that has a role.</p>
<form method="post" action="{action}"><label>Email address <input name="email" type="email" required
list="known" autofocus></label><datalist id="known">{options}</datalist>
<button>Sign in</button></form></main></body></html>
"""


def page(request: Request, emails: list[str]) -> Response:
    """Return the page.

    Args:
        request: whose query names the path to return to
        emails: to choose from
    """
    target = _target(request.query_params.get("continue", "/"))
    options = "".join(f'<option value="{html.escape(email)}">' for email in emails)
    action = html.escape(f"{PATH}?continue={quote(target, safe='')}")
    return HTMLResponse(_PAGE.format(action=action, options=options), headers=_HEADERS)


async def signed_in(request: Request) -> Response:
    """Return to the page that a person came from, with a cookie that has the address."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            return HTMLResponse("The form is too long.", 413)
    email = parse_qs(body.decode("latin-1")).get("email", [""])[0].strip().lower()
    if not _EMAIL.fullmatch(email):
        return HTMLResponse("This is not an email address.", 400)
    response = RedirectResponse(_target(request.query_params.get("continue", "/")), 303, _HEADERS)
    response.set_cookie(COOKIE, quote(email), httponly=True, samesite="lax")
    return response


def cleared() -> Response:
    """Sign the person out."""
    response = HTMLResponse("You are signed out.", headers=_HEADERS)
    response.delete_cookie(COOKIE)
    return response


def redirection(request: Request) -> Response:
    """Lead a person who has not signed in to the page."""
    query = request.url.query
    path = request.url.path + (f"?{query}" if query else "")
    return RedirectResponse(f"{PATH}?continue={quote(path, safe='')}", 302, _HEADERS)


_HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}


def _target(path: str) -> str:
    """Return a path of this server; another address is replaced by the root."""
    is_path = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_path else "/"
