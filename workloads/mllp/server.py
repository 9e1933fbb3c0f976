"""The server for incoming connections: a thread for each, many messages a connection."""

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.mllp.framing import FrameDecoder, FramingError, framed
from workloads.mllp.receivers import Receiver, answer_frame

KEEP_ALIVE_SECONDS = 180
"""A VPC drops connections that are idle for 10 minutes."""
_CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Limits:
    """Limits of a server.

    Attributes:
        message_bytes: of a message
        connections: at the same time
        frame_seconds: between two pieces of a frame, for the handshake of TLS, and to take an
            answer; between frames a connection may be idle
    """

    message_bytes: int = 10_000_000
    connections: int = 100
    frame_seconds: float = 30.0


class MllpServer(socketserver.ThreadingTCPServer):
    """Listens at an address.

    Args:
        address: host, and port or 0 for any
        receiver: answers messages
        limits: for all connections
        tls: of the server; None for plain TCP

    Raises:
        OSError: the address is in use, or is not one of this machine
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        receiver: Receiver,
        log: Log,
        counters: Counters,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._receiver, self._log, self._counters = receiver, log, counters
        self._limits, self._tls = limits or Limits(), tls
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(address, socketserver.BaseRequestHandler)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self.server_address[1])

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 (socketserver's)
        """Whether there are fewer connections than the limit."""
        with self._lock:
            is_free = len(self._connections) < self._limits.connections
        if not is_free:
            self._log.warning("too many connections", peer=_name(client_address))
            self._counters.add("connections_refused")
        return is_free

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread."""
        thread = threading.Thread(
            target=self._run, args=(request, _name(client_address)), daemon=True
        )
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Accept nothing more, answer the messages that are in work, close all connections."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            # Not the method of a TLS socket, which would end the encryption of the answer.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RD)
        deadline = time.monotonic() + timeout
        for thread in connections:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, connection: socket.socket, peer: str) -> None:
        self._counters.add("connections")
        try:
            _keep_alive(connection)
            if not connection.recv(1, socket.MSG_PEEK):
                return  # a health check
            if self._tls:
                connection.settimeout(self._limits.frame_seconds)
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._connections[threading.current_thread()] = connection
            self._serve(connection, peer)
        except FramingError as error:
            self._broken("broken framing", peer, str(error))
        except TimeoutError:
            self._broken("time-out inside a frame or a handshake", peer, "time-out")
        except ssl.SSLError as error:
            self._broken("TLS failed", peer, error.reason or "unknown")
        except OSError as error:
            self._broken("connection lost", peer, error.strerror or type(error).__name__)
        except Exception:  # noqa: BLE001 (the other connections stay)
            self._log.exception("connection crashed", peer=peer)
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]
            self.shutdown_request(connection)

    def _serve(self, connection: socket.socket, peer: str) -> None:
        decoder = FrameDecoder(self._limits.message_bytes)
        while chunk := self._receive(connection, decoder):
            for frame in decoder.feed(chunk):
                self._counters.add("messages")
                if frame.is_oversized:
                    self._log.warning("message is too large", peer=peer)
                    self._counters.add("nacks")
                limit = self._limits.message_bytes
                answer = answer_frame(self._receiver, frame, peer, limit)
                if answer is None:
                    return
                connection.sendall(framed(answer))
        if decoder.is_inside:
            raise FramingError("the connection ended inside a frame")

    def _receive(self, connection: socket.socket, decoder: FrameDecoder) -> bytes:
        """Read a piece; only inside a frame is there a limit of time."""
        connection.settimeout(self._limits.frame_seconds if decoder.is_inside else None)
        chunk = connection.recv(_CHUNK_BYTES)
        connection.settimeout(self._limits.frame_seconds)
        return chunk

    def _broken(self, event: str, peer: str, reason: str) -> None:
        self._log.warning(event, peer=peer, reason=reason)
        self._counters.add("connections_broken")


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on macOS
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE_SECONDS)


def _name(address: Any) -> str:
    return f"{address[0]}:{address[1]}"
