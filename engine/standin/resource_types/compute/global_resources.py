"""Names and paths of global resources of a project."""

from typing import Any


def of_project(collection: str) -> dict[str, Any]:
    """Return id, call of creation and forms of import for resources of a collection."""
    parent = f"projects/{{project}}/global/{collection}"
    return {
        "id": f"{parent}/{{name}}",
        "create_call": f"POST {parent}",
        "imports": (f"{parent}/{{name}}", "{project}/{name}", "{name}"),
    }
