"""Middleware that undoes `X-HTTP-Method-Override`, by which clients send one method as another."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.core.errors import ApiError
from emulator.core.rest import JsonResponse, limited_body

_OVERRIDES = ("DELETE", "PATCH", "PUT")


class MethodOverrideMiddleware:
    """Replaces the method of a POST by that of `X-HTTP-Method-Override`.

    Google's clients send a GET with a very long URL as a POST with a form, and Java's default
    transport has no PATCH.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the method that its client means."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            override = request.headers.get("x-http-method-override", "").upper()
            if override == "GET":
                try:
                    query = await limited_body(request)
                except ApiError as error:
                    answer = JsonResponse(error.body(), status_code=error.code)
                    await answer(scope, receive, send)
                    return
                scope = {**scope, "method": "GET", "query_string": query}
                receive = _no_body
            elif override in _OVERRIDES and scope["method"] == "POST":
                scope = {**scope, "method": override}
        await self._app(scope, receive, send)


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
