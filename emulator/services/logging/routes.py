"""Paths of Cloud Logging (https://cloud.google.com/logging/docs/reference/v2/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.core import rest
from emulator.services.logging import responses
from emulator.services.logging.service import Logging

VERSION = "v2"


def routes(logging: Logging) -> Iterator[Route]:
    """Yield every route of the service."""
    for method, path, handler in (
        ("POST", "/entries:list", responses.list_entries),
        ("POST", "/entries:write", responses.write_entries),
        ("GET", "/projects/{project}/logs", responses.list_logs),
        ("DELETE", "/projects/{project}/logs/{log:path}", responses.delete_log),
    ):
        yield Route(f"/{VERSION}{path}", rest.endpoint(logging, handler, VERSION), methods=[method])
