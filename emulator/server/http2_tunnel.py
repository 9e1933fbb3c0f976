"""HTTP/2 on the port of the REST API: such connections are passed on to the gRPC server.

Google's Pub/Sub emulator, too, has one port for both. uvicorn speaks HTTP/1.1 alone, and gRPC
clients begin with the preface of HTTP/2 (RFC 9113, section 3.4), so the first bytes decide.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from emulator.server.header_limit import HeaderLimitProtocol

LOG = logging.getLogger(__name__)
PREFACE = b"PRI * HTTP/2.0\r\n"
HOST = "127.0.0.1"


class Http2TunnelProtocol(HeaderLimitProtocol):
    """uvicorn's protocol class; it connects clients that speak HTTP/2 to another server."""

    def __init__(self, *args: Any, grpc_port: Callable[[], int], **options: Any) -> None:
        """Keep how the gRPC server is found.

        Args:
            args: uvicorn's
            grpc_port: returns the server's port, and starts it at the first call; it may block
            options: uvicorn's
        """
        super().__init__(*args, **options)
        self._grpc_port = grpc_port
        self._first = b""
        self._is_http1 = False
        self._tunnel: _Tunnel | None = None

    def data_received(self, data: bytes) -> None:
        """Pass the next bytes on."""
        if self._is_http1:
            super().data_received(data)
            return
        if self._tunnel is not None:
            self._tunnel.send(data)
            return
        self._first += data
        if self._first.startswith(PREFACE):
            self._tunnel = _Tunnel(self.transport, self._grpc_port)
            self._tunnel.send(self._first)
        elif not PREFACE.startswith(self._first):
            self._is_http1 = True
            super().data_received(self._first)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other connection too."""
        if self._tunnel is not None:
            self._tunnel.close()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Read no more from the server: the client is slower."""
        if self._tunnel is not None:
            self._tunnel.pause_reading()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Read from the server again."""
        if self._tunnel is not None:
            self._tunnel.resume_reading()
        super().resume_writing()


class _Tunnel(asyncio.Protocol):
    """The connection to the server: what it sends goes to the client."""

    def __init__(self, client: asyncio.Transport, port: Callable[[], int]) -> None:
        self._client = client
        self._server: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._task = asyncio.get_running_loop().create_task(self._connect(port))

    async def _connect(self, port: Callable[[], int]) -> None:
        loop = asyncio.get_running_loop()
        self._client.pause_reading()
        try:
            number = await loop.run_in_executor(None, port)
            await loop.create_connection(lambda: self, HOST, number)
        except Exception as error:
            # Whatever it is: the client sees a closed connection, and the log says why.
            LOG.exception("gRPC is not served: %s", error)
            self._client.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Send what the client has sent meanwhile."""
        if self._client.is_closing():
            transport.close()
            return
        self._server = transport
        transport.writelines(self._waiting)
        self._waiting.clear()
        self._client.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass an answer on."""
        self._client.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Close the client's connection."""
        self._client.close()

    def pause_writing(self) -> None:
        """Read no more from the client: the server is slower."""
        self._client.pause_reading()

    def resume_writing(self) -> None:
        """Read from the client again."""
        self._client.resume_reading()

    def send(self, data: bytes) -> None:
        """Send bytes of the client, at once or as soon as the server is connected."""
        if self._server is None:
            self._waiting.append(data)
        else:
            self._server.write(data)

    def pause_reading(self) -> None:
        """Read no more from the server."""
        if self._server is not None:
            self._server.pause_reading()

    def resume_reading(self) -> None:
        """Read from the server again."""
        if self._server is not None:
            self._server.resume_reading()

    def close(self) -> None:
        """Close the connection to the server."""
        if self._server is not None:
            self._server.close()
