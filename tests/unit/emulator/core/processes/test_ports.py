"""Ports that servers can be restarted on."""

import socket

import pytest

from emulator.core.processes import ports


def test_a_free_port_is_one_that_no_connection_gets() -> None:
    """A connection with the port of a stopped server would keep it from starting again."""
    found = {ports.free_port() for _ in range(50)}
    assert len(found) > 40, "two servers that start at the same time would choose the same port"
    for port in found:
        assert ports.is_free(port)
        assert port < 32_768, "Linux gives connections the ports from here on"


def test_a_port_that_is_taken_or_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port % 100 == 0)
    hundreds = {port for port in range(ports.FIRST_PORT, ports.LAST_PORT) if port % 100 == 0}
    assert ports.free_port(hundreds - {25_000}) == 25_000


@pytest.mark.sockets
def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not ports.is_free(server.getsockname()[1])
