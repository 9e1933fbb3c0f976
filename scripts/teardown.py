"""Destroy a stack, and prove through the services' own lists that nothing of it is left."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from engine import places
from scripts.common import cli, stack
from scripts.common.cli import Output
from scripts.common.errors import ExitCode, ScriptError, UsageError
from scripts.removal import age, report
from scripts.removal.engine import Engine
from scripts.removal.flow import Outcome, Request, TearDown
from scripts.removal.memory import Memory
from scripts.removal.running import WAIT_SECONDS

HELP = """Destroy a stack, and prove through the services' own lists that nothing of it is left.

Operations under way in its datasets are cancelled, BigQuery tables deleted where the stack says
bigqueryDeleteContents, memberships of deleted accounts removed. What the stack did not make is not
touched: where it would be lost, nothing is changed, and it is named. What is protected (protect,
deletionPolicy PREVENT) is left and named, with what it needs. Enabled services stay enabled.

A local Google Cloud is stopped afterwards; its files stay until `python -m emulator reset`.

[bold]Examples[/bold]

  teardown.py                              the local stack

  teardown.py --stack dev --dry-run        what would go, and what would stay

  teardown.py --stack dev                  asks first; --yes does not

  teardown.py --stack lab-anna --older-than 8h --yes     unless it was updated since

[bold]Exit codes[/bold]: 0 nothing is left, or the stack is too young; 1 failed, or something is
left; 2 the command line is wrong; 4 --timeout is up; 5 refused, because what others made would be
lost: nothing was changed; 6 what is protected is left, all else is gone; 130 interrupted."""

app = cli.application()


def _ask_first(name: str, output: Output, *, yes: bool) -> None:
    """Have a person agree, or a program say --yes; what is local can be made again."""
    if yes or places.is_local(name):
        return
    if output.as_json or not output.err.is_terminal:
        raise UsageError(
            f"Stack {name!r} and all its data would be destroyed, and nobody can be asked.",
            "Give --yes; --dry-run shows what would go.",
        )
    if not typer.confirm(f"Destroy stack {name!r} and all its data?", err=True):
        raise ScriptError("Nothing was destroyed.")


def _open(name: str, folder: Path, output: Output) -> tuple[Engine, Memory]:
    if not (folder / "Pulumi.yaml").exists():
        raise UsageError(f"{folder} has no Pulumi.yaml.", "Name the folder of the program: --cwd.")
    engine = Engine(name, folder.resolve(), stack.enter(name, output.say).environment)
    file = f"teardown-{engine.project()}-{name.replace('/', '-')}.json"
    return engine, Memory(places.lab_dir() / file)


def _exit_code(outcome: Outcome, *, dry_run: bool) -> ExitCode:
    return ExitCode.PROTECTED if outcome.protected and not dry_run else ExitCode.OK


@app.command(help=HELP)
@cli.guarded("Run it again to go on: it ends in the same place.")
def main(
    stack_name: Annotated[
        str, typer.Option("--stack", "-s", help="Pulumi stack to destroy.")
    ] = stack.DEFAULT_STACK,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only tell; everything stays as it is.")
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Leave a stack alone that was updated less than this ago: 30m, 8h, 2d.",
        ),
    ] = None,
    strays: Annotated[
        bool,
        typer.Option(
            "--strays", help="Delete stores too that others made in the stack's datasets."
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds that what is under way may take to end.")
    ] = WAIT_SECONDS,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Do not stop the local Google Cloud.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
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
    limit = age.duration(older_than) if older_than is not None else None
    _ask_first(stack_name, output, yes=yes or dry_run)
    engine, memory = _open(stack_name, cwd, output)
    again = ["--stack", stack_name]
    again += [flag for flag, given in (("--strays", strays), ("--yes", yes)) if given]
    again += [] if cwd == stack.ROOT else ["--cwd", str(cwd)]
    resume = cli.command_line("teardown.py", again)
    request = Request(resume, dry_run, limit, strays, timeout)
    outcome = TearDown(engine, memory, request, output).run()
    report.show(outcome, output, dry_run=dry_run)
    code = _exit_code(outcome, dry_run=dry_run)
    if not (keep_running or dry_run or outcome.skipped or code):
        stack.leave(stack_name)
    output.result(report.conclusion(outcome, stack_name, dry_run=dry_run))
    output.json(report.shape(outcome, stack_name, dry_run=dry_run))
    if code:
        raise typer.Exit(int(code))


if __name__ == "__main__":
    # A cancelled CI job sends this; it ends as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
