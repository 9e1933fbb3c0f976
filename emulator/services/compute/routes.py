"""Paths of Compute Engine (https://cloud.google.com/compute/docs/reference/rest/v1)."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.core import rest
from emulator.core.route_tree import LazyRoute
from emulator.services.compute import group_responses as groups
from emulator.services.compute import location_responses as locations
from emulator.services.compute import responses
from emulator.services.compute import subnetwork_responses as subnetworks
from emulator.services.compute.balancers.responses import METHODS as BALANCER_METHODS
from emulator.services.compute.errors import render
from emulator.services.compute.service import Compute
from emulator.services.compute.type_table import (
    BACKEND_SERVICES,
    GROUP_MANAGERS,
    INSTANCE_GROUPS,
    TYPES,
)
from emulator.services.compute.types import Type

ROOT = "/compute/v1/"
_PROJECT = "projects/{project}"
_VERBS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_METHODS = (
    ("list", "GET", "", responses.list_page),
    ("insert", "POST", "", responses.insert),
    ("get", "GET", "/{id}", responses.get),
    ("patch", "PATCH", "/{id}", responses.patch),
    ("update", "PUT", "/{id}", responses.update),
    ("delete", "DELETE", "/{id}", responses.delete),
    ("setLabels", "POST", "/{id}/setLabels", responses.set_labels),
    ("expandIpCidrRange", "POST", "/{id}/expandIpCidrRange", subnetworks.expand),
    ("setPrivateIpGoogleAccess", "POST", "/{id}/setPrivateIpGoogleAccess", subnetworks.set_access),
)
_GROUP_METHODS = (
    ("POST", "listManagedInstances", groups.list_managed),
    ("GET", "listErrors", groups.list_errors),
    ("POST", "resize", groups.resize),
    ("POST", "setInstanceTemplate", groups.set_template),
    ("POST", "recreateInstances", groups.recreate),
    ("POST", "deleteInstances", groups.delete_instances),
    ("POST", "applyUpdatesToInstances", groups.apply_updates),
)
_OPERATIONS = (
    ("global", "global"),
    ("regions", "regions/{location}"),
    ("zones", "zones/{location}"),
)


def routes(compute: Compute) -> Iterator[Route]:
    """Yield every route of the service, and one for all others below its root."""
    yield Route(f"{ROOT}{{rest:path}}", _unserved, methods=_VERBS)

    def route(method: str, path: str, handler: rest.Handler[Compute]) -> Route:
        endpoint = rest.endpoint(compute, handler, render_error=render)
        return LazyRoute(f"{ROOT}{path}", endpoint, method)

    yield route("GET", _PROJECT, locations.get_project)
    yield route("GET", f"{_PROJECT}/regions", locations.list_regions)
    yield route("GET", f"{_PROJECT}/regions/{{location}}", locations.get_region)
    yield route("GET", f"{_PROJECT}/zones", locations.list_zones)
    yield route("GET", f"{_PROJECT}/zones/{{location}}", locations.get_zone)
    images = f"{_PROJECT}/global/images"
    yield route("GET", f"{images}/{{id}}", locations.get_image)
    yield route("GET", f"{images}/family/{{id}}", locations.get_image_of_family)
    for type_ in TYPES:
        for method, path, handler in _of_type(type_):
            yield route(method, path, handler)
    for method, verb, group_handler in _GROUP_METHODS:
        yield route(method, f"{GROUP_MANAGERS.path}/{{id}}/{verb}", group_handler)
    yield route("POST", f"{INSTANCE_GROUPS.path}/{{id}}/listInstances", groups.list_instances)
    yield route("POST", f"{BACKEND_SERVICES.path}/{{id}}/getHealth", groups.get_health)
    for _, _, method, path, _, balancer_handler in BALANCER_METHODS:
        yield route(method, path, balancer_handler)
    for scope, path in _OPERATIONS:
        operations = f"{_PROJECT}/{path}/operations"
        get = partial(responses.get_operation, scope)
        yield route("GET", operations, partial(responses.list_operations, scope))
        yield route("GET", f"{operations}/{{id}}", get)
        # It is done already.
        yield route("POST", f"{operations}/{{id}}/wait", get)
        yield route("DELETE", f"{operations}/{{id}}", partial(responses.delete_operation, scope))


async def _unserved(request: Request) -> Response:
    """Refuse a path that would otherwise be the name of an object of Cloud Storage."""
    raise HTTPException(404, request.url.path)


def _of_type(type_: Type) -> Iterator[tuple[str, str, Any]]:
    for name, method, suffix, handler in _METHODS:
        if name in type_.methods:
            yield method, f"{type_.path}{suffix}", partial(handler, type_)
    if type_.is_aggregated:
        path = f"{_PROJECT}/aggregated/{type_.collection}"
        yield "GET", path, partial(responses.aggregated_list, type_)
