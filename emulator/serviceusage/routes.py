"""Paths of Service Usage (https://cloud.google.com/service-usage/docs/reference/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.http import routes as versions
from emulator.serviceusage import responses

_SERVICE = "/projects/{project}/services/{service}"


def routes() -> Iterator[Route]:
    """Every route of the service."""
    yield from versions("GET", "/projects/{project}/services", responses.list_services)
    yield from versions("GET", "/projects/{project}/services:batchGet", responses.batch_get)
    yield from versions("POST", "/projects/{project}/services:batchEnable", responses.batch_enable)
    yield from versions("POST", f"{_SERVICE}:enable", responses.enable)
    yield from versions("POST", f"{_SERVICE}:disable", responses.disable)
    yield from versions("POST", f"{_SERVICE}:generateServiceIdentity", responses.make_identity)
    yield from versions("GET", _SERVICE, responses.get_service)
    yield from versions("GET", "/operations/{operation}", responses.get_operation)
