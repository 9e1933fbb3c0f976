"""The adoption itself: all of it, or nothing."""

import json
from collections.abc import Callable

from scripts.adoption.plan import Plan
from scripts.adoption.survey import Survey
from scripts.adoption.workspace import State, Workspace
from scripts.common.errors import ScriptError

Report = Callable[[str], None]


def adopt(real: Workspace, before: State | None, survey: Survey, report: Report) -> None:
    """Take over what was surveyed, as it was done in the copy; put the state back if it fails.

    Args:
        real: the stack.
        before: its state when it was copied; None if there was no such stack.
        survey: what to take over.
        report: told what is going on.

    Raises:
        ScriptError: the stack has changed since, or its plan is not that of the copy; the state is
            as it was before.
    """
    if before is None:
        real.make()
    kept = real.state()
    assert kept is not None, "it is there, or was just made"
    if _resources(kept) != _resources(before):
        raise ScriptError(
            f"Stack {real.stack!r} has changed meanwhile; nothing was adopted.",
            "Run it again: it looks at the stack as it is now.",
        )
    try:
        report("Importing into the stack ...")
        for each in survey.rounds:
            each.take(real)
        _confirm(real.preview(), survey)
    except BaseException as error:
        # Ctrl-C too: half an adoption would make the next update create the other half.
        report("Putting the state back ...")
        _put_back(real, kept, error)
        raise


def _confirm(plan: Plan, survey: Survey) -> None:
    """Hold the plan of the stack against that of the copy."""
    if damaged := plan.damaged(survey.adopted):
        urns = ", ".join(change.urn for change in damaged)
        raise ScriptError(f"The stack would replace what its copy did not: {urns}.", _AGAIN)
    if missing := survey.adopted & {change.urn for change in plan.created}:
        raise ScriptError(f"The stack would create: {', '.join(sorted(missing))}.", _AGAIN)


_AGAIN = "Something has changed meanwhile: run it again."


def _put_back(real: Workspace, kept: State, error: BaseException) -> None:
    try:
        real.put(kept)
    except ScriptError as second:
        file = real.folder / f"{real.stack.rpartition('/')[2]}.state.json"
        file.write_text(json.dumps(kept), "utf-8")
        raise ScriptError(
            f"{error} The state could not be put back either: {second.message}",
            f"Put it back by hand: pulumi stack import --stack {real.stack} --file {file}",
        ) from error


def _resources(state: State | None) -> list[object]:
    found: list[object] = ((state or {}).get("deployment") or {}).get("resources") or []
    return found
