"""Has calls go wrong before, or while, they are answered."""

import asyncio
import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator import discovery
from emulator.faults.models import Faults
from emulator.http import JsonResponse

LOG = logging.getLogger(__name__)


class CutOffError(Exception):
    """The answer ends here, on demand: the server closes the connection."""


class FaultsOnDemand:
    """Looks at every call of an API, and breaks those that meet a fault."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, whole or broken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        faults: Faults = scope["app"].state.faults
        request = Request(scope)
        # Finding the method costs more than most calls: only where a fault waits for it.
        method = discovery.method_of(request.method, request.url.path) if faults else None
        fault = faults.meets(method) if method else None
        if method is None or fault is None:
            await self._app(scope, receive, send)
            return
        LOG.info("fault on demand: %s: %s", method, fault.phrase)
        await asyncio.sleep(fault.delay)
        sender = send if fault.cut is None else _cut(send, fault.cut)
        error = fault.error(method)
        if error is None:
            await self._app(scope, receive, sender)
            return
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        answer = JsonResponse(error.body(), status_code=error.code, headers=headers)
        await answer(scope, receive, sender)


def _cut(send: Send, most: int) -> Send:
    """Send no more than so many bytes of a body, then break off."""
    left = most

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
