"""Paths of Resource Manager (https://cloud.google.com/resource-manager/reference/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.http import Call
from emulator.http import routes as versions
from emulator.iam.responses import policy_routes
from emulator.resourcemanager import responses


def _name(call: Call) -> str:
    return f"projects/{call.cloud.projects.id_of(call.path['project'])}"


def _exists(_call: Call, _name: str) -> bool:
    # Any project exists once it is named, and naming it is what `_name` does.
    return True


def routes() -> Iterator[Route]:
    """Every route of the service."""
    yield from policy_routes("/projects/{project}", _name, _exists, "cloudresourcemanager")
    yield from versions("GET", "/projects/{project}", responses.get_project)
    yield from versions("GET", "/projects", responses.list_projects)
