"""The server of the gateway, from its settings to its end."""

import socket
from pathlib import Path

import httpx
import uvicorn

from workloads.common.logs import Log
from workloads.gateway.app import Gateway, application
from workloads.gateway.identity import Identities
from workloads.gateway.keys import Keys
from workloads.gateway.protocol import GuardedProtocol
from workloads.gateway.settings import Settings
from workloads.gateway.tokens import Tokens
from workloads.gateway.upstream import Upstream

MAX_CONNECTIONS = 1_000
"""Further ones get HTTP 503."""
STOP_SECONDS = 10
"""For requests under way when the gateway stops, as long as Cloud Run waits."""
_KEEP_ALIVE_SECONDS = 620
"""Longer than the load balancer keeps idle connections: the gateway must not close them first.
Documented: https://cloud.google.com/load-balancing/docs/https#timeout-keepalive-backends"""
_BACKLOG = 1_024


class StartError(Exception):
    """A reason why the gateway can't start, in a sentence for people."""


def serve(settings: Settings, address: tuple[str, int], viewer: Path | None) -> None:
    """Serve a gateway until a signal stops it.

    Raises:
        StartError: the address can't be listened at
        CredentialsError: there are no credentials
    """
    log = Log("gateway")
    transport = httpx.AsyncHTTPTransport(
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64)
    )
    upstream = Upstream(transport, Tokens(), settings.limits)
    keys = Keys(settings.provider.keys_url, httpx.AsyncClient(), log)
    gateway = Gateway(settings, Identities(settings.provider, keys), upstream, log, viewer)
    config = uvicorn.Config(
        application(gateway, settings),
        http=GuardedProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    listener = _listener(address)
    log.info("listening", host=address[0], port=listener.getsockname()[1], viewer=bool(viewer))
    uvicorn.Server(config).run(sockets=[listener])
    log.info("stopped")


def _listener(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(
            f"The gateway can't listen at {host}:{port}: {error.strerror or error}. Choose another "
            "port with --port, or another address with --host."
        ) from error
    return listener
