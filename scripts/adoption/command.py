"""The steps of an adoption: survey, report, conflicts, import."""

from contextlib import nullcontext
from pathlib import Path

from scripts.adoption import report
from scripts.adoption.adopt import adopt
from scripts.adoption.conflicts import Conflict, conflicts
from scripts.adoption.survey import Discovery, Survey
from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.pulumi_stack import PulumiStack, State, require_program
from scripts.lib.wording import plural
from scripts.resources.lookup import Lookup
from scripts.stacks.scratch import count_managed, scratch


def run(name: str, program: Path, output: Output, *, dry_run: bool, beside: bool) -> None:
    """Adopt the existing resources of a program, or only report them.

    Args:
        name: the stack's
        program: folder of the program
        output: where to report
        dry_run: change nothing
        beside: allow a new dataset even if another location has one with its id

    Raises:
        ScriptError: something would be replaced, or a step failed; the state is as before
    """
    real = _open(name, program, output)
    before = real.export_state()
    waiting = output.err.status("Looking ...") if output.err.is_terminal else nullcontext()
    with waiting:
        survey = look(real, before, output)
    report.show(survey, output, dry_run=dry_run)
    found = conflicts(survey, real.config_file.name, beside=beside)
    if found:
        raise _refuse(found, name)
    adopted = len(survey.adopted)
    if adopted and not dry_run:
        adopt(real, before, survey, output.report)
    output.result(_conclusion(adopted, name, dry_run=dry_run))
    facts = {"stack": name, "dry_run": dry_run, "managed": count_managed(before)}
    output.json({**facts, **report.shape(survey)})


def look(real: PulumiStack, before: State | None, output: Output) -> Survey:
    """Survey the existing resources in a copy of the stack.

    Raises:
        ScriptError: the program fails, or a service does not answer
    """
    lookup, left = Lookup(), frozenset[str]()
    output.report("Previewing the program and looking up its resources ...")
    while True:
        with scratch(real, before) as copy:
            survey = Discovery(lookup, output.report, left).survey(copy)
        # A grant holds no data: if it would be replaced, the program creates it again.
        replaced = survey.replaced_grants()
        if not replaced:
            return survey
        left |= replaced


def _open(name: str, folder: Path, output: Output) -> PulumiStack:
    """Enter the environment of a stack that has a configuration."""
    program = require_program(folder)
    real = PulumiStack(name, program, stack.enter(name, output.report).environment)
    if not real.config_file.exists():
        raise UsageError(
            f"Stack {name!r} has no configuration: {real.config_file} does not exist.",
            "Write it first: it says what shall be under the stack. docs/adoption.md begins there.",
        )
    return real


def _refuse(found: list[Conflict], name: str) -> ScriptError:
    listed = "".join(f"\n  {conflict}" for conflict in found)
    return ScriptError(
        f"Nothing was adopted: the stack would replace or duplicate existing resources.{listed}",
        f"Fix the stack file, and check again: make adopt STACK={name} ARGS=--dry-run",
        ExitCode.REFUSED,
        {"conflicts": [conflict.to_json() for conflict in found]},
    )


def _conclusion(adopted: int, name: str, *, dry_run: bool) -> str:
    if not adopted:
        return "Nothing to adopt: the program's resources are in the stack, or do not exist."
    resources = plural(adopted, "resource")
    if dry_run:
        return f"Dry run, nothing was changed. {resources} to adopt: make adopt STACK={name}"
    return f"Adopted {resources}. Next: make preview STACK={name}, then make up STACK={name}"
