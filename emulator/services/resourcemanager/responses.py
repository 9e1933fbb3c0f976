"""Requests and answers of Resource Manager."""

from typing import Any

from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.resourcemanager.service import ResourceManager


def get_project(call: Call[ResourceManager]) -> dict[str, Any]:
    """One project."""
    return call.service.projects.get(call.path["project"])


def list_projects(call: Call[ResourceManager]) -> dict[str, Any]:
    """Every project that was named so far."""
    return paginate(
        call.service.projects.page,
        call.query,
        "projects",
        scope="projects",
        default=500,
        maximum=500,
    )
