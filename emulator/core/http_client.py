"""Clients of services on this machine: no proxy is asked, no certificates are loaded."""

import httpx

_MAX_IDLE_SECONDS = 2.0
"""Idle connections that are older are not used again: bqemulator closes them after 5 seconds."""


def client(
    url: str = "", *, seconds: float, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """Make one.

    Args:
        url: the address that paths are below, without a path.
        seconds: how long it waits for the service.
        transport: what carries the requests, in tests.
    """
    return httpx.Client(
        base_url=url,
        timeout=seconds,
        transport=transport,
        verify=False,  # noqa: S501 - plain HTTP: loading certificates would take longer than a call
        trust_env=False,
        limits=httpx.Limits(keepalive_expiry=_MAX_IDLE_SECONDS),
    )
