"""The stand-in of the gcp plugin in the test's own process: the engine attaches to it.

A plugin process costs 0.45 s of CPU time at each preview or update, most of it imports. The engine
and the stand-in are the real ones, and so are the calls between them. What a plugin's process does
at Ctrl-C and after a kill is tested with `OWN_PLUGIN`.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from engine.gcp_plugin import BINARY, FOLDER, MARK
from engine.language_host import MESSAGE_LIMIT
from engine.pulumi_proto import provider_pb2_grpc
from engine.standin.provider import StandIn

_ATTACH = "PULUMI_DEBUG_PROVIDERS"
OWN_PLUGIN = {_ATTACH: ""}
"""The variables with which the engine starts a plugin process of its own, as it does for users."""


def is_stand_in(pulumi_home: Path) -> bool:
    """Whether the engine of a lab uses the stand-in, and no real plugin."""
    binary = pulumi_home / "plugins" / FOLDER / BINARY
    return binary.is_file() and MARK.encode() in binary.read_bytes()[:4096]


class StandInHost:
    """Serves the stand-in on a loopback port.

    Attributes:
        environment: The variables that lead every `pulumi` command to it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start to serve.

        Args:
            environment: What the plugin's process would have: the endpoints.
        """
        sizes = [(f"grpc.max_{way}_message_length", MESSAGE_LIMIT) for way in ("send", "receive")]
        self._server = grpc.server(ThreadPoolExecutor(max_workers=32), options=sizes)
        servicer: Any = _Providers(environment)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.environment = {_ATTACH: f"gcp:{port}"}
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop(grace=None).wait()


class _Providers:
    """One stand-in for each connection, which is one provider of one run of the engine."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._by_peer: dict[str, StandIn] = {}

    def __getattr__(self, method: str) -> Callable[[Any, Any], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            return getattr(self._provider(method, context.peer()), method)(request, context)

        return call

    def _provider(self, method: str, peer: str) -> StandIn:
        with self._lock:
            # A later run of the engine may get a port of an earlier one.
            if method == "Handshake" or peer not in self._by_peer:
                self._by_peer[peer] = StandIn(environment=self._environment)
            return self._by_peer[peer]
