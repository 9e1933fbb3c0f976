"""The peer of the outgoing side: one connection, one message at a time."""

import socket
import ssl
from collections import deque
from dataclasses import dataclass

from workloads.common.delivery import Unavailable
from workloads.mllp import acknowledgement
from workloads.mllp.acknowledgement import Acknowledgement
from workloads.mllp.framing import Frame, FrameDecoder, FramingError, framed

_CHUNK_BYTES = 65_536
_MAX_ANSWER_BYTES = 1_000_000
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Address:
    """The address of a peer, `HOST:PORT` or `[IPV6]:PORT`."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the address as options write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read `HOST:PORT`.

    Raises:
        ValueError: it is something else, in a sentence for people
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"{text!r} is not a valid address: write HOST:PORT, as in 10.0.0.5:2575.")
    return Address(host, int(port))


class Peer:
    """A connection to a server of MLLP, opened when it is needed.

    Args:
        address: of the server
        ack_seconds: to wait for each acknowledgement
        tls: of the client; None for plain TCP
    """

    def __init__(
        self, address: Address, ack_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._address, self._ack_seconds, self._tls = address, ack_seconds, tls
        self._connection: socket.socket | None = None
        self._decoder = FrameDecoder(_MAX_ANSWER_BYTES)
        self._frames: deque[Frame] = deque()
        self.is_busy = False

    def send(self, data: bytes) -> Acknowledgement:
        """Send a message; return the peer's acknowledgement of it.

        Raises:
            Unavailable: no connection, no answer in time, or an answer to something else; the
                connection is closed, so that a late answer is not taken for that of the next
        """
        self.is_busy = True
        try:
            return self._exchange(data)
        except FramingError as error:
            self.close()
            raise Unavailable(f"broken framing in the answer: {error}") from error
        except TimeoutError as error:
            self.close()
            raise Unavailable("time-out") from error
        except OSError as error:
            self.close()
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            raise Unavailable(f"no connection: {reason or type(error).__name__}") from error
        except Unavailable:
            self.close()
            raise
        finally:
            self.is_busy = False

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _exchange(self, data: bytes) -> Acknowledgement:
        connection = self._connected()
        connection.sendall(framed(data))
        answer = acknowledgement.parse(self._receive(connection))
        if answer is None:
            raise Unavailable("the answer has no MSA segment")
        if answer.control_id != acknowledgement.control_id(data):
            raise Unavailable("the answer acknowledges another message")
        return answer

    def _connected(self) -> socket.socket:
        if self._connection and _is_closed(self._connection):
            self.close()
        if self._connection is None:
            target = (self._address.host, self._address.port)
            connection = socket.create_connection(target, _CONNECT_SECONDS)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_hostname=self._address.host)
            self._connection, self._decoder = connection, FrameDecoder(_MAX_ANSWER_BYTES)
            self._frames.clear()
        self._connection.settimeout(self._ack_seconds)
        return self._connection

    def _receive(self, connection: socket.socket) -> bytes:
        while not self._frames:
            chunk = connection.recv(_CHUNK_BYTES)
            if not chunk:
                raise Unavailable("the peer closed the connection without an answer")
            self._frames.extend(self._decoder.feed(chunk))
        return self._frames.popleft().data


def _is_closed(connection: socket.socket) -> bool:
    """Whether the peer has closed an idle connection, as engines do after some minutes."""
    connection.setblocking(False)
    try:
        # A TLS socket has no MSG_PEEK; between messages there is nothing to read on either.
        return not connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
