"""Deployment of a program, and what precedes each update."""

from collections.abc import Callable

from scripts.lib.pulumi_results import UpdateResult
from scripts.lib.pulumi_stack import PulumiStack
from scripts.recovery.recover import recover
from scripts.resources import shared_grants
from scripts.stacks import shared_project


def up(stack: PulumiStack, report: Callable[[str], None], *, color: bool) -> UpdateResult:
    """Deploy the program; create the stack if there is none, recover it if it was interrupted.

    Args:
        stack: the stack
        report: called with each line of Pulumi's output
        color: let Pulumi colour its lines

    Raises:
        ScriptError: Pulumi failed; its lines have been reported
    """
    stack.select()
    prepare(stack, report)
    return stack.up(report, color=color)


def prepare(stack: PulumiStack, report: Callable[[str], None]) -> None:
    """Recover a stack after an interrupted update; name and keep what other stacks share with it.

    Args:
        stack: the stack
        report: called with each line

    Raises:
        ScriptError: Pulumi can't read or write a state
    """
    exported = recover(stack, report)
    shared_project.warn(stack, exported, report)
    shared_grants.retain_in_update(stack, exported, report)
