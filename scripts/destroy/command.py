"""The command that tears a stack down: question, tear-down, report."""

from functools import partial
from pathlib import Path

import typer

from engine import stack_environment
from scripts.destroy import report
from scripts.destroy.journal import TeardownJournal
from scripts.destroy.request import Request
from scripts.destroy.state import Entry
from scripts.destroy.teardown import Outcome, TearDown
from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.pulumi_stack import PulumiStack, require_program


def run(
    name: str, program: Path, request: Request, output: Output, *, keep_running: bool, yes: bool
) -> None:
    """Tear a stack down, or only report what would be deleted.

    Args:
        name: the stack's
        program: folder of the program
        request: what is asked for
        output: where to report
        keep_running: leave the local Google Cloud running
        yes: do not ask first

    Raises:
        ScriptError: something blocks, or a step failed
        typer.Exit: protected resources are left
    """
    _ask_first(name, output, yes=yes or request.dry_run)
    found, journal = _open(name, program, output)
    keeps = partial(_keeps_grants, name, request, output, yes=yes)
    outcome = TearDown(found, journal, request, output, keeps).run()
    report.show(outcome, output, dry_run=request.dry_run)
    code = _exit_code(outcome, dry_run=request.dry_run)
    if not (keep_running or request.dry_run or outcome.skipped or code):
        stack.leave(name)
    output.result(report.conclusion(outcome, name, dry_run=request.dry_run))
    output.json(report.shape(outcome, name, dry_run=request.dry_run))
    if code:
        if stack_environment.is_local(name) and not keep_running:
            output.result("The local Google Cloud still runs.")
        raise typer.Exit(int(code))


def _ask_first(name: str, output: Output, *, yes: bool) -> None:
    """Ask for confirmation, unless --yes is set or the stack is local."""
    if yes or stack_environment.is_local(name):
        return
    if output.as_json or not output.err.is_terminal:
        raise UsageError(
            f"Stack {name!r} and its data would be destroyed, and no terminal can confirm it.",
            "Add --yes; --dry-run shows what would be deleted.",
        )
    if not typer.confirm(f"Destroy stack {name!r} and all its data?", err=True):
        raise ScriptError("Nothing was destroyed.")


def _keeps_grants(
    name: str, request: Request, output: Output, grants: list[Entry], *, yes: bool
) -> bool:
    """Return whether to leave grants that no other stack of the backend holds.

    Stacks of other backends can't be seen: without an answer, their grants stay. A local Google
    Cloud has one backend.
    """
    if request.keep_grants is not None:
        return request.keep_grants
    if stack_environment.is_local(name):
        return False
    if yes or request.dry_run:
        return True
    output.report("No other stack of this backend holds these; a stack of another one may:")
    for entry in grants:
        output.report(f"  {entry.id}")
    return not typer.confirm("Delete them too?", err=True)


def _open(name: str, folder: Path, output: Output) -> tuple[PulumiStack, TeardownJournal]:
    program = require_program(folder)
    found = PulumiStack(name, program, stack.enter(name, output.report).environment)
    file = f"teardown-{found.project}-{name.replace('/', '-')}.json"
    return found, TeardownJournal(stack_environment.lab_dir() / file)


def _exit_code(outcome: Outcome, *, dry_run: bool) -> ExitCode:
    return ExitCode.PROTECTED if outcome.protected and not dry_run else ExitCode.OK
