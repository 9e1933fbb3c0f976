"""What every command line has in common: options, errors, Ctrl-C, JSON on standard output."""

import atexit
import functools
import gc
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import typer
from rich.console import Console
from rich.text import Text

from scripts.common.errors import ExitCode, ScriptError
from scripts.common.stack import ROOT, Choice

P = ParamSpec("P")

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="Pulumi stack whose outputs give the names. [dim]\\[default: local, unless the four "
        "names below are all given][/dim]",
    ),
]
Project = Annotated[str | None, typer.Option(help="Project, instead of the stack's.")]
Location = Annotated[str | None, typer.Option(help="Location, instead of the stack's.")]
DatasetId = Annotated[
    str | None,
    typer.Option("--dataset", help="A further dataset of the stack, or any other by its id."),
]
Store = Annotated[str | None, typer.Option(help="DICOM store. [dim]\\[default: the first][/dim]")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of text; no progress.")
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Seconds to wait for the operation; it goes on afterwards. "
        "[dim]\\[default: to its end][/dim]",
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(metavar="OPERATION", help="Follow this operation instead of starting one."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Print the operation's name and leave it running.")
]

TableUri = Annotated[
    str | None,
    typer.Option("--table", metavar="BQ_URI", help="bq://PROJECT.DATASET.TABLE, not the stack's."),
]

EXIT_CODES = (
    "[bold]Exit codes[/bold]: 0 all went well; 1 failed; 2 the command line is wrong; "
    "3 some files failed; 4 time is up, the operation goes on; 130 interrupted."
)


class Output:
    """Standard output for results, standard error for everything else.

    Args:
        as_json: one JSON object is the whole of standard output.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Tell a person something that is not the result."""
        if not self.as_json:
            self.err.print(text, markup=False, soft_wrap=True)

    def result(self, text: str) -> None:
        """Print a line of the result for people."""
        if not self.as_json:
            self.out.print(text, markup=False, soft_wrap=True)

    def raw(self, line: str) -> None:
        """Pass on a line of another program, which has coloured it itself."""
        if not self.as_json:
            self.out.print(Text.from_ansi(line), soft_wrap=True)

    def json(self, shape: dict[str, Any]) -> None:
        """Print the result for programs, if they asked."""
        if self.as_json:
            sys.stdout.write(json.dumps(shape, indent=2, default=str) + "\n")

    def error(self, error: ScriptError) -> None:
        """Print an error: for people always, for programs if they asked."""
        self.json({"error": error.to_json()})
        self.err.print(
            Text("error: ", style="bold red").append(error.message, style="default"), soft_wrap=True
        )
        if error.cure:
            self.err.print(error.cure, markup=False, soft_wrap=True)


def application() -> typer.Typer:
    """Make the application of a one-command script."""
    # At its end Python looks through all that the libraries made, for 0.2 s: nobody needs that.
    atexit.register(gc.freeze)
    return typer.Typer(
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def guarded(after_interrupt: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Show a ScriptError or Ctrl-C as a person wants to see it, and end with its exit code.

    The wrapped function takes `as_json` when the script has `--json`.

    Args:
        after_interrupt: how to go on after a Ctrl-C that caught no operation under way.
    """

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def guard(*args: P.args, **kwargs: P.kwargs) -> None:
            output = Output(as_json=bool(kwargs.get("as_json")))
            try:
                function(*args, **kwargs)
            except ScriptError as error:
                output.error(error)
                raise typer.Exit(int(error.exit_code)) from None
            except KeyboardInterrupt:
                stopped = ScriptError("Interrupted.", after_interrupt, ExitCode.INTERRUPTED)
                output.error(stopped)
                raise typer.Exit(int(stopped.exit_code)) from None
            except BrokenPipeError:
                _leave_quietly()

        return guard

    return decorate


def _leave_quietly() -> NoReturn:
    """End as `head` and its like expect, without Python's complaint at closing standard output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(int(ExitCode.FAILED))


def command_line(script: str, arguments: Sequence[str]) -> str:
    """Write a command for a person to paste into the shell they are in."""
    python = Path(sys.prefix) / "bin" / "python"
    shown = python.relative_to(ROOT) if python.is_relative_to(ROOT) else Path("python")
    return shlex.join([str(shown), f"scripts/{script}", *arguments])


def choice(
    stack: str | None,
    project: str | None,
    location: str | None,
    dataset: str | None,
    store: str | None,
) -> Choice:
    """Bundle the options that name things."""
    return Choice(stack, project, location, dataset, store)
