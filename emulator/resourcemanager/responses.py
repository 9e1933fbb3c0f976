"""Requests and answers of Resource Manager."""

from typing import Any

from emulator.http import Call, page


def get_project(call: Call) -> dict[str, Any]:
    """One project."""
    return call.cloud.projects.get(call.path["project"])


def list_projects(call: Call) -> dict[str, Any]:
    """Every project that was named so far."""
    return page(call.cloud.projects.list(), call.query, "projects", default=500, most=500)
