"""Deployment of a program."""

from collections.abc import Callable

from scripts.lib.pulumi_results import UpdateResult
from scripts.lib.pulumi_stack import PulumiStack
from scripts.recovery.recover import recover
from scripts.resources import shared_grants


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
    shared_grants.retain_in_update(stack, recover(stack, report), report)
    return stack.up(report, color=color)
