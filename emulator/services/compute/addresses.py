"""Addresses: internal ones are loopback addresses of their own, so that programs can use them.

Linux lets a program listen at any address in 127.0.0.0/8. macOS has 127.0.0.1 alone, which all
internal addresses are there. External addresses are of 198.18.0.0/15, which no network routes
(RFC 2544): nothing listens there.
"""

import ipaddress
import secrets
import socket
from collections.abc import Container
from functools import cache

INTERNAL = ipaddress.ip_network("127.64.0.0/10")
EXTERNAL = ipaddress.ip_network("198.18.0.0/15")
SHARED = "127.0.0.1"
"""The address of everything where the system has no other one on loopback."""


@cache
def has_own_addresses() -> bool:
    """Whether a program can listen at every loopback address."""
    return _can_bind(str(INTERNAL[1]))


def internal(taken: Container[str]) -> str:
    """Return an address that a program can listen at, and that nothing else has."""
    return _draw(INTERNAL, taken) if has_own_addresses() else SHARED


def external(taken: Container[str]) -> str:
    """Return an address that stands for one on the Internet."""
    return _draw(EXTERNAL, taken)


def is_internal(text: str) -> bool:
    """Whether an address that a request names is one of the local Google Cloud's own."""
    try:
        return ipaddress.ip_address(text) in INTERNAL
    except ValueError:
        return False


def _draw(network: ipaddress.IPv4Network | ipaddress.IPv6Network, taken: Container[str]) -> str:
    while True:
        drawn = str(network[1 + secrets.randbelow(network.num_addresses - 2)])
        if drawn not in taken:
            return drawn


def _can_bind(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
