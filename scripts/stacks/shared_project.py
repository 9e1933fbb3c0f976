"""A project that several stacks use, where resources of the same name conflict."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from scripts.lib.pulumi_stack import PulumiStack
from scripts.stacks.scratch import count_managed

Json = dict[str, Any]


def warn(stack: PulumiStack, exported: Json | None, report: Callable[[str], None]) -> None:
    """Name the other stacks in the project of a stack that has no resources yet.

    Args:
        stack: the stack
        exported: its state; None if there is no such stack
        report: called with each line

    Raises:
        ScriptError: Pulumi can't read a state
    """
    project = _project(stack)
    if not project or count_managed(exported):
        return
    for name, state in sorted(stack.other_states().items()):
        if any(body.get("inputs", {}).get("project") == project for body in _resources(state)):
            report(
                f"Stack {name!r} has resources in the project {project} too. Those of the same "
                "name conflict: `make stack NAME=...` creates a local stack with its own project."
            )


def _project(stack: PulumiStack) -> str:
    try:
        content = yaml.safe_load(stack.config_file.read_text())
    except (OSError, yaml.YAMLError):
        return ""  # the update itself says what is wrong
    config = content.get("config") if isinstance(content, dict) else None
    return str(config.get("gcp:project") or "") if isinstance(config, dict) else ""


def _resources(exported: Mapping[str, Any]) -> list[Json]:
    return (exported.get("deployment") or {}).get("resources") or []
