"""Paths of Service Usage (https://cloud.google.com/service-usage/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.serviceusage import responses
from emulator.services.serviceusage.service import ServiceUsage

_SERVICE = "/projects/{project}/services/{service:id}"


def routes(service_usage: ServiceUsage) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, service_usage)
    yield from route("GET", "/projects/{project}/services", responses.list_services)
    yield from route("GET", "/projects/{project}/services:batchGet", responses.batch_get)
    yield from route("POST", "/projects/{project}/services:batchEnable", responses.batch_enable)
    yield from route("POST", f"{_SERVICE}:enable", responses.enable)
    yield from route("POST", f"{_SERVICE}:disable", responses.disable)
    yield from route("POST", f"{_SERVICE}:generateServiceIdentity", responses.make_identity)
    yield from route("GET", _SERVICE, responses.get_service)
    yield from route("GET", "/operations/{operation:id}", responses.get_operation)
