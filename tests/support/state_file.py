"""The state of a stack, read from the file of the engine's local backend: no command is run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks an object that stands for another value, such as a secret."""


def deployment(environment: Mapping[str, str], program: Path, stack: str) -> dict[str, Any]:
    """Return the deployment of a stack as `pulumi stack export` does.

    Args:
        environment: The environment of the lab.
        program: The folder of the program.
        stack: The name of the stack.
    """
    text = path(environment, program, stack).read_text()
    latest: dict[str, Any] = json.loads(text)["checkpoint"].get("latest") or {}
    return latest


def path(environment: Mapping[str, str], program: Path, stack: str) -> Path:
    """Return the file; the arguments are those of `deployment`."""
    backend = Path(urlsplit(environment["PULUMI_BACKEND_URL"]).path)
    project = str(yaml.safe_load((program / "Pulumi.yaml").read_text())["name"])
    return backend / ".pulumi" / "stacks" / project / f"{stack}.json"


def resources(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a deployment holds but the stack itself and its providers."""
    return [
        resource
        for resource in found.get("resources", [])
        if not resource["type"].startswith("pulumi:")
    ]


def outputs(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a deployment as `pulumi stack output --json` does."""
    for resource in found.get("resources", []):
        if resource["type"] == "pulumi:pulumi:Stack":
            return {name: _masked(value) for name, value in resource.get("outputs", {}).items()}
    return {}


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return "[secret]"
        return {name: _masked(item) for name, item in value.items()}
    return value
