"""One look at the health of an instance, as a health check describes it.

Documented: https://cloud.google.com/load-balancing/docs/health-check-concepts.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from emulator.services.compute.rules.balancing import TESTS

_MAX_ANSWER_BYTES = 1024

Json = Mapping[str, Any]


def settings_of(check: Json) -> Json:
    """Return the settings of the test that a health check makes."""
    found: Json = check.get(TESTS[check["type"]], {})
    return found


def port_of(check: Json, named_ports: Mapping[str, int]) -> int | None:
    """Return the port that a health check connects to; None if it names none that is known.

    Args:
        check: the health check
        named_ports: of the group of the instance
    """
    settings = settings_of(check)
    if settings.get("portSpecification") == "USE_NAMED_PORT" or settings.get("portName"):
        return named_ports.get(settings.get("portName", ""))
    port = settings.get("port")
    return None if port is None else int(port)


async def is_healthy(check: Json, address: str, port: int) -> bool:
    """Whether an instance answers as it should, in time.

    HTTP/2 and gRPC are not spoken here: a connection is enough.
    """
    try:
        async with asyncio.timeout(float(check["timeoutSec"])):
            return await _test(check, address, port)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _test(check: Json, address: str, port: int) -> bool:
    type_, settings = check["type"], settings_of(check)
    tls = _tls() if type_ in ("SSL", "HTTPS") else None
    reader, writer = await asyncio.open_connection(address, port, ssl=tls)
    try:
        if type_ in ("HTTP", "HTTPS"):
            return await _answers_http(settings, address, reader, writer)
        if request := settings.get("request"):
            writer.write(request.encode())
            await writer.drain()
        expected = settings.get("response", "").encode()
        return not expected or await reader.readexactly(len(expected)) == expected
    finally:
        writer.close()


async def _answers_http(
    settings: Json, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    path, host = settings.get("requestPath", "/"), settings.get("host") or address
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    head = await reader.read(_MAX_ANSWER_BYTES)
    parts = head.split(b" ", 2)
    expected = settings.get("response", "").encode()
    return len(parts) > 1 and parts[1] == b"200" and expected in head


def _tls() -> ssl.SSLContext:
    # Documented: probes do not verify the certificate of the instance.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
