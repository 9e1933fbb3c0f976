"""Middleware that injects faults before or during the response to a call."""

import asyncio
import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.core import discovery
from emulator.core.rest import JsonResponse
from emulator.faults.models import Faults

LOG = logging.getLogger(__name__)


class CutOffError(Exception):
    """An injected fault ends the response here: the server closes the connection."""


class FaultInjectionMiddleware:
    """Injects a fault into each call that matches one."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or inject a fault."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        # Finding the method costs more than most calls: skip it without faults.
        method = discovery.method_of(request.method, request.url.path) if self._faults else None
        fault = self._faults.match(method) if method else None
        if method is None or fault is None:
            await self._app(scope, receive, send)
            return
        LOG.info("injected fault: %s: %s", method, fault.phrase)
        await asyncio.sleep(fault.delay)
        sender = send if fault.cut is None else _cut(send, fault.cut)
        error = fault.error(method)
        if error is None:
            await self._app(scope, receive, sender)
            return
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        answer = JsonResponse(error.body(), status_code=error.code, headers=headers)
        await answer(scope, receive, sender)


def _cut(send: Send, max_bytes: int) -> Send:
    """Send at most so many bytes of a body, then close the connection."""
    left = max_bytes

    async def sending(message: Message) -> None:
        nonlocal left
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        if len(body) <= left and message.get("more_body"):
            left -= len(body)
            await send(message)
            return
        await send({**message, "body": body[:left], "more_body": True})
        raise CutOffError

    return sending
