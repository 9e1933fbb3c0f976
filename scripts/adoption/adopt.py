"""Import into the stack: all resources, or none."""

import json
from collections.abc import Callable

from scripts.adoption.survey import Survey
from scripts.lib.errors import ScriptError
from scripts.lib.pulumi_command import advised
from scripts.lib.pulumi_stack import PulumiStack, State
from scripts.stacks import plan as plans
from scripts.stacks.plan import Plan

Report = Callable[[str], None]


def adopt(real: PulumiStack, before: State | None, survey: Survey, report: Report) -> None:
    """Import the surveyed resources as in the copy; restore the state if it fails.

    Args:
        real: the stack
        before: its state when it was copied; None if it did not exist.
        survey: of the resources to import
        report: called with progress

    Raises:
        ScriptError: the stack has changed since, or its plan is not that of the copy; the state is
            as before
    """
    if before is None:
        real.create()
    kept = real.export_state()
    assert kept is not None, "it exists, or was just created"
    if _resources(kept) != _resources(before):
        raise ScriptError(
            f"Stack {real.name!r} changed in the meantime; nothing was adopted.",
            "Run it again.",
        )
    try:
        report("Importing into the stack ...")
        for each in survey.rounds:
            each.import_into(real)
        _confirm(plans.preview(real), survey)
    except BaseException as error:
        # Ctrl-C too: after half an adoption, the next update would create the other half.
        report("Restoring the state ...")
        _put_back(real, kept, error)
        raise


def _confirm(plan: Plan, survey: Survey) -> None:
    """Check that the plan of the stack is that of the copy."""
    if destructive := plan.destructive_changes(survey.adopted):
        urns = ", ".join(change.urn for change in destructive)
        raise ScriptError(
            f"The stack would replace resources that its copy would not: {urns}.", _AGAIN
        )
    if missing := survey.adopted & {change.urn for change in plan.created}:
        raise ScriptError(f"The stack would create: {', '.join(sorted(missing))}.", _AGAIN)


_AGAIN = "Something changed in the meantime: run it again."


def _put_back(real: PulumiStack, kept: State, error: BaseException) -> None:
    try:
        real.import_state(kept)
    except ScriptError as second:
        file = real.program / f"{real.name.rpartition('/')[2]}.state.json"
        file.write_text(json.dumps(kept), "utf-8")
        restore = f"stack import --stack {real.name} --file {file}"
        raise ScriptError(
            f"{error} The state could not be restored either: {second.message}",
            f"Restore it by hand: {advised(real.name, restore)}",
        ) from error


def _resources(state: State | None) -> list[object]:
    found: list[object] = ((state or {}).get("deployment") or {}).get("resources") or []
    return found
