"""Paths of Cloud Monitoring (https://cloud.google.com/monitoring/api/ref_v3/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.route_tree import LazyRoute
from emulator.services.monitoring import responses
from emulator.services.monitoring.responses import CHANNELS, POLICIES
from emulator.services.monitoring.service import Monitoring

VERSION = "v3"


def routes(monitoring: Monitoring) -> Iterator[Route]:
    """Yield every route of the service."""
    for collection, delete in (
        (POLICIES, responses.delete_policy),
        (CHANNELS, responses.delete_channel),
    ):
        path = f"/{VERSION}/projects/{{project}}/{collection.field}"
        for method, suffix, handler in (
            ("POST", "", partial(responses.create, collection)),
            ("GET", "", partial(responses.list_page, collection)),
            ("GET", "/{id}", partial(responses.get, collection)),
            ("PATCH", "/{id}", partial(responses.patch, collection)),
            ("DELETE", "/{id}", delete),
        ):
            endpoint = rest.endpoint(monitoring, handler, VERSION)
            yield LazyRoute(f"{path}{suffix}", endpoint, method)
