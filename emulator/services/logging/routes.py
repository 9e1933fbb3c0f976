"""Paths of Cloud Logging (https://cloud.google.com/logging/docs/reference/v2/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.core import rest
from emulator.core.route_tree import LazyRoute
from emulator.services.logging import metrics, responses, sinks
from emulator.services.logging.service import Logging

VERSION = "v2"
_SINKS, _METRICS = "/projects/{project}/sinks", "/projects/{project}/metrics"


def routes(logging: Logging) -> Iterator[Route]:
    """Yield every route of the service."""
    for method, path, handler in (
        ("POST", "/entries:list", responses.list_entries),
        ("POST", "/entries:write", responses.write_entries),
        ("GET", "/projects/{project}/logs", responses.list_logs),
        ("DELETE", "/projects/{project}/logs/{log:path}", responses.delete_log),
        ("POST", _SINKS, sinks.create),
        ("GET", _SINKS, sinks.list_sinks),
        ("GET", f"{_SINKS}/{{sink}}", sinks.get),
        ("PUT", f"{_SINKS}/{{sink}}", sinks.update),
        ("PATCH", f"{_SINKS}/{{sink}}", sinks.update),
        ("DELETE", f"{_SINKS}/{{sink}}", sinks.delete),
        ("POST", _METRICS, metrics.create),
        ("GET", _METRICS, metrics.list_metrics),
        ("GET", f"{_METRICS}/{{metric:path}}", metrics.get),
        ("PUT", f"{_METRICS}/{{metric:path}}", metrics.update),
        ("DELETE", f"{_METRICS}/{{metric:path}}", metrics.delete),
    ):
        yield LazyRoute(f"/{VERSION}{path}", rest.endpoint(logging, handler, VERSION), method)
