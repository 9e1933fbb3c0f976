"""The addresses of services: each service has a port of this machine, the same after a restart.

A request goes to the container of the service, whichever process and revision that is.
"""

import asyncio
import logging
import random
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from emulator.core import reverse_proxy
from emulator.services.run.serving.iap.proxy import IapProxy
from emulator.services.run.serving.invokers import Invokers
from emulator.services.run.serving.request_log import RequestLog

LOG = logging.getLogger(__name__)
_CLOSING_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 610
_BACKLOG = 128


@dataclass(frozen=True)
class Route:
    """Where requests of a service go.

    Attributes:
        targets: port and percentage of each revision; empty if none can serve
        reason: why there is none
        timeout_seconds: of one request
    """

    targets: Sequence[tuple[int, int]] = ()
    reason: str = ""
    timeout_seconds: float = 300.0


class Frontends:
    """The servers of all addresses, in one thread.

    Args:
        invokers: decide who may call a service
        iap: the proxy before services that ask for it
        requests: the log of requests
    """

    def __init__(self, invokers: Invokers, iap: IapProxy, requests: RequestLog) -> None:
        self._invokers = invokers
        self._iap = iap
        self._requests = requests
        self._routes: dict[str, Route] = {}
        self._servers: dict[str, uvicorn.Server] = {}
        self._loop = asyncio.new_event_loop()
        self._transport = reverse_proxy.transport()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="run", daemon=True)

    def open(self, service: str, port: int) -> int:
        """Listen at the address of a service.

        Args:
            service: the full name
            port: the one to listen on, or 0 for any

        Returns:
            The port.

        Raises:
            OSError: another process listens on the port
        """
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        config = uvicorn.Config(
            _Application(self, service),
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        server = self._servers[service] = uvicorn.Server(config)
        if not self._thread.is_alive():
            self._thread.start()
        self._loop.call_soon_threadsafe(self._serve, server, listener)
        return int(listener.getsockname()[1])

    def route(self, service: str, route: Route) -> None:
        """Send the requests of a service somewhere else from now on."""
        self._routes[service] = route

    def close(self, service: str) -> None:
        """Stop listening at the address of a service."""
        self._routes.pop(service, None)
        server = self._servers.pop(service, None)
        if server is not None:
            server.should_exit = True

    def close_all(self) -> None:
        """Stop listening at all addresses."""
        for service in [*self._servers]:
            self.close(service)

    def stop(self) -> None:
        """Stop the thread; no address is opened again."""
        self.close_all()
        if not self._thread.is_alive():
            self._loop.close()
            return
        finished = asyncio.run_coroutine_threadsafe(self._finish(), self._loop)
        try:
            finished.result(_CLOSING_SECONDS)
        except TimeoutError:
            LOG.warning("requests of services did not end in %.0f s", _CLOSING_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def answer(self, service: str, request: Request) -> Response:
        """Pass a request on to a container of a service."""
        route = self._routes.get(service, Route())
        headers = reverse_proxy.headers(request)
        if self._iap.is_before(service):
            refusal = await self._iap.own_response(service, request) or self._iap.refusal(
                service, request
            )
            if refusal is None:
                headers = self._iap.headers(service, request, headers)
        else:
            refusal = self._invokers.refusal(service, request.headers.get("authorization", ""))
        if refusal:
            return refusal
        if not route.targets:
            return PlainTextResponse(f"Service Unavailable\n{route.reason}\n", 503)
        ports, shares = zip(*route.targets, strict=True)
        port = random.choices(ports, shares)[0]  # noqa: S311 - a share of the traffic, no secret
        return await self._pass_on(request, headers, port, route.timeout_seconds)

    async def log(self, service: str, request: Request, status: int, began: float) -> None:
        """Log a request that was answered."""
        seconds = self._loop.time() - began
        await asyncio.to_thread(self._requests.write, service, request, status, seconds)

    async def _pass_on(
        self, request: Request, headers: list[tuple[bytes, bytes]], port: int, seconds: float
    ) -> Response:
        path, query = request.scope["raw_path"], request.scope["query_string"]
        url = httpx.URL(f"http://127.0.0.1:{port}")
        client = request.client.host if request.client else "127.0.0.1"
        outgoing = httpx.Request(
            request.method,
            url.copy_with(raw_path=path + (b"?" + query if query else b"")),
            headers=[
                *headers,
                (b"x-forwarded-for", client.encode()),
                (b"x-forwarded-proto", b"http"),
            ],
            content=request.stream() if reverse_proxy.has_body(request) else None,
            extensions={"timeout": httpx.Timeout(seconds).as_dict()},
        )
        try:
            return reverse_proxy.response(await self._transport.handle_async_request(outgoing))
        except httpx.TimeoutException:
            return PlainTextResponse("upstream request timeout", 504)
        except httpx.HTTPError as error:
            LOG.warning("the container at port %d does not answer: %s", port, type(error).__name__)
            return PlainTextResponse("Service Unavailable", 503)

    def _serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        task = self._loop.create_task(server.serve(sockets=[listener]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: listener.close())

    async def _finish(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.aclose()


class _Application:
    """The ASGI application of one address."""

    def __init__(self, frontends: Frontends, service: str) -> None:
        self._frontends = frontends
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.get_running_loop().time()
        request = Request(scope, receive)
        response = await self._frontends.answer(self._service, request)
        await response(scope, receive, send)
        await self._frontends.log(self._service, request, response.status_code, began)
