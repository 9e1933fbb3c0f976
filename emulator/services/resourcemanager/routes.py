"""Paths of Resource Manager (https://cloud.google.com/resource-manager/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.rest import Call
from emulator.services.iam.responses import policy_routes
from emulator.services.resourcemanager import responses
from emulator.services.resourcemanager.service import ResourceManager


def _name(call: Call[ResourceManager]) -> str:
    return f"projects/{call.service.projects.id_of(call.path['project'])}"


def _exists(_call: Call[ResourceManager], _name: str) -> bool:
    # Any project exists once it is named, and naming it is what `_name` does.
    return True


def routes(resource_manager: ResourceManager) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, resource_manager)
    policies = partial(policy_routes, resource_manager.iam, resource_manager)
    yield from policies("/projects/{project:id}", _name, _exists, "cloudresourcemanager")
    yield from route("GET", "/projects/{project:id}", responses.get_project)
    yield from route("GET", "/projects", responses.list_projects)
