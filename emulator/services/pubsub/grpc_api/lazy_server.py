"""The gRPC server, which starts when its port is asked for: most runs never need it."""

import threading
from typing import Protocol

from emulator.services.pubsub.service import PubSub


class Server(Protocol):
    """A server that runs.

    Attributes:
        port: where it listens
    """

    port: int

    def close(self) -> None:
        """Stop."""


class LazyServer:
    """Starts the gRPC server once, and stops it if it was started."""

    def __init__(self, service: PubSub, root_url: str) -> None:
        """Keep what the server needs.

        Args:
            service: the state of Pub/Sub
            root_url: of the REST API
        """
        self._service = service
        self._root_url = root_url
        self._lock = threading.Lock()
        self._server: Server | None = None

    def port(self) -> int:
        """Return the port of the server; start it first if it does not run."""
        with self._lock:
            if self._server is None:
                # Half a second of imports.
                from emulator.services.pubsub.grpc_api.server import GrpcServer

                self._server = GrpcServer(self._service, self._root_url)
            return self._server.port

    def close(self) -> None:
        """Stop the server if it runs."""
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None
