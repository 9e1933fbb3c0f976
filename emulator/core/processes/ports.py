"""Ports on loopback: which are free, and who holds the others."""

import secrets
import socket
from collections.abc import Collection

import psutil

FIRST_PORT, LAST_PORT = 20_000, 32_767
"""Below the ports that systems give to connections: Linux from 32768 on, others from 49152 on."""


def free_port(taken: Collection[int] = ()) -> int:
    """Return a port that no process listens on and that is not in `taken`.

    It is drawn from ports that no connection gets. One that the system chooses could be that of a
    connection when the server binds it, a second later or after a restart.
    """
    while True:
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if port not in taken and is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_owner(port: int) -> str:
    """Who listens on the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f"{name}, process {connection.pid}"
    except psutil.Error:
        pass  # other users' processes are not ours to see: the message does without
    return "another process"
