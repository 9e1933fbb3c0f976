"""Bring resources that exist under a stack, without replacing any."""

import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.adoption import report
from scripts.adoption.adopting import adopt
from scripts.adoption.conflicts import Conflict, conflicts
from scripts.adoption.lookup import Lookup
from scripts.adoption.survey import Survey, Surveyor
from scripts.adoption.workspace import Workspace, managed, open_at, scratch
from scripts.common import cli, stack
from scripts.common.cli import Output
from scripts.common.errors import ExitCode, ScriptError
from scripts.preview.names import plural

HELP = """Bring resources that exist under a stack, without replacing any.

The stack file says what shall be under the stack. Whatever of it exists already, found by its name
and by asking the services, is taken into the stack's state as it is; nothing in the cloud changes.
All of it is tried in a copy of the state first. If the stack would then replace or delete anything
of it, nothing is adopted, and you are told which key of the stack file to change.

[bold]Examples[/bold]

  adopt.py --stack dev --dry-run      what is there, what would be created, what updated

  adopt.py --stack dev                adopt it; then `make preview`, `make up`

  adopt.py --stack dev --json         the same for programs

[bold]Exit codes[/bold]: 0 adopted, or nothing to adopt; 1 failed, the state is as before; 2 the
command line is wrong; 5 refused, because something would be replaced: the state is as before;
130 interrupted, the state is as before."""

app = cli.application()


def look(real: Workspace, before: dict[str, Any] | None, output: Output) -> Survey:
    """Find out in a copy of the stack what exists, and what the plan would then be.

    Raises:
        ScriptError: the program fails, or a service can't tell.
    """
    lookup, left = Lookup(), frozenset[str]()
    output.say("Asking the program what it wants, and the services what there is ...")
    while True:
        with scratch(real, before) as copy:
            project = str(copy.config().get("gcp:project", ""))
            survey = Surveyor(lookup, project, output.say, left).survey(copy)
        # Nothing is lost with a grant: one that would be replaced is better made again.
        replaced = survey.replaced_grants()
        if not replaced:
            return survey
        left |= replaced


def _refuse(found: list[Conflict], name: str) -> ScriptError:
    listed = "".join(f"\n  {conflict}" for conflict in found)
    return ScriptError(
        f"Nothing was adopted: the stack would replace or double what exists.{listed}",
        f"Mend the stack file, and look again: make adopt STACK={name} ARGS=--dry-run",
        ExitCode.REFUSED,
        {"conflicts": [conflict.to_json() for conflict in found]},
    )


def _conclusion(adopted: int, name: str, *, dry_run: bool) -> str:
    if not adopted:
        return "Nothing to adopt: what the program wants is under the stack, or does not exist."
    resources = plural(adopted, "resource")
    if dry_run:
        return f"Dry run, nothing was changed. {resources} to adopt: make adopt STACK={name}"
    return f"Adopted {resources}. Next: make preview STACK={name}, then make up STACK={name}"


@app.command(help=HELP)
@cli.guarded("Nothing was adopted. Run it again to begin anew.")
def main(
    stack_name: Annotated[
        str, typer.Option("--stack", "-s", help="Pulumi stack to adopt for.")
    ] = stack.DEFAULT_STACK,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only tell; the stack stays as it is.")
    ] = False,
    beside: Annotated[
        bool,
        typer.Option(
            "--beside",
            help="Allow a dataset to be created though one of its id exists in another location.",
        ),
    ] = False,
    cwd: Annotated[
        Path,
        typer.Option(
            "--cwd", "-C", show_default=False, help="Folder of the program, if it is another one."
        ),
    ] = stack.ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    real = open_at(stack_name, cwd, stack.enter(stack_name, output.say).environment)
    before = real.state()
    waiting = output.err.status("Looking ...") if output.err.is_terminal else nullcontext()
    with waiting:
        survey = look(real, before, output)
    report.show(survey, output)
    found = conflicts(survey, real.file.name, beside=beside)
    if found:
        raise _refuse(found, stack_name)
    adopted = len(survey.adopted)
    if adopted and not dry_run:
        adopt(real, before, survey, output.say)
    output.result(_conclusion(adopted, stack_name, dry_run=dry_run))
    told = {"stack": stack_name, "dry_run": dry_run, "managed": managed(before)}
    output.json({**told, **report.shape(survey)})


if __name__ == "__main__":
    # A cancelled CI job sends this: the state is put back as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
