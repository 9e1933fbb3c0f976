"""Deployment of an example's stack, whose stack file comes with it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.pulumi_stack import PulumiStack
from scripts.stacks import deploy, stack_file

_NAMESPACE = "gcp-healthcare-dicom"


@dataclass(frozen=True)
class Deployed:
    """A deployed stack.

    Attributes:
        stack: to deploy again
        outputs: of the stack
        is_new: whether the deployment created something
        settings: of the stack file, without their namespace
        file: the name of the stack file
    """

    stack: PulumiStack
    outputs: Mapping[str, Any]
    is_new: bool
    settings: Mapping[str, Any]
    file: str


def up(
    template: Path, name: str, program: Path, output: Output, *, deployed: bool = False
) -> Deployed:
    """Deploy a stack; the template is copied if it is that of the stack, and there is no file.

    Args:
        template: Pulumi.STACK.yaml of the example
        name: of the stack
        program: folder of the program
        output: where to report
        deployed: whether the stack is up already, and is used as it is

    Raises:
        ScriptError: there is no stack file, Pulumi failed, or the stack is not up
    """
    environment = stack.enter(name, output.report)
    file = stack_file.path(name, program)
    if template.name == file.name and not file.exists() and not deployed:
        shutil.copyfile(template, file)
    stack_file.require(name, program)
    one_stack = PulumiStack(name, program, environment.environment)
    config = yaml.safe_load(file.read_text("utf-8")).get("config", {})
    settings = {key.removeprefix(f"{_NAMESPACE}:"): item for key, item in config.items()}
    if deployed:
        outputs = one_stack.outputs()
        if not outputs:
            raise ScriptError(f"Stack {name!r} is not up.", "Run this without --deployed.")
        return Deployed(one_stack, outputs, False, settings, file.name)
    found = deploy.up(one_stack, output.raw, color=output.out.is_terminal)
    is_new = bool(found.changes.get("create"))
    return Deployed(one_stack, found.outputs, is_new, settings, file.name)
