"""`python -m engine`: obtain the engine, and run anything in a stack's environment."""

import json
import os
import shlex
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from engine import pulumi_cli, stack_environment
from engine.errors import EngineError
from engine.pulumi_cli import EngineInfo

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""The Pulumi engine, found or obtained, and the environments of stacks.

    A stack named local, or local-..., runs on the local Google Cloud, which is started if needed;
    every other one on Google Cloud.

    Exit codes: 0 success; 1 failure; 2 usage error; `run` returns those of the command.
    """,
)
_notes = Console(stderr=True, soft_wrap=True, highlight=False)
Stack = Annotated[str, typer.Option("--stack", "-s", help="the stack's name")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


@app.command()
def install(as_json: Json = False) -> None:
    """Obtain the engine if there is none: download it, or build it from Go modules."""
    _show(pulumi_cli.obtain(_notes.print), as_json)


@app.command()
def status(as_json: Json = False) -> None:
    """Show the available engine; exit code 1 if there is none. Obtain nothing."""
    found = pulumi_cli.find(report=_notes.print)
    if found is None:
        raise EngineError("There is no engine yet: `python -m engine install` obtains one.")
    _show(found, as_json)


@app.command()
def env(stack: Stack = "local", as_json: Json = False) -> None:
    """Print a place's variables, for eval "$(python -m engine env)" or as JSON."""
    variables = stack_environment.prepare(stack, _notes.print).environment
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context, stack: Stack = "local") -> None:
    """Run a command in a stack's environment.

    Example: `python -m engine run --stack local -- pulumi preview`.
    """
    command = context.args
    if not command:
        raise typer.BadParameter("no command: ... run --stack local -- pulumi preview")
    variables = stack_environment.prepare(stack, _notes.print).environment
    environment = {**os.environ, **variables}
    try:
        # Replace this process: the command gets the terminal and signals, and sets the exit code.
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        raise EngineError(f"There is no command {command[0]!r} on PATH.") from None


def _show(found: EngineInfo, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({key: str(value) for key, value in asdict(found).items()}))
    else:
        typer.echo(f"Pulumi {found.version} ({found.source}): {found.path}")


def main() -> None:
    """Run the command line; an error is a message, not a traceback."""
    try:
        app(prog_name="python -m engine")
    except EngineError as error:
        _notes.print(f"error: {error}", style="red", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
