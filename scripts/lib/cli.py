"""Shared parts of every command line: options, errors, Ctrl-C, JSON on standard output."""

import atexit
import gc
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.options import ROOT

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        help="Pulumi stack whose outputs give the names. [dim]\\[default: local, unless the four "
        "names below are all given][/dim]",
    ),
]
Project = Annotated[str | None, typer.Option(help="Project, instead of the stack's")]
Location = Annotated[str | None, typer.Option(help="Location, instead of the stack's")]
DatasetId = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="A dataset of the stack by name or id, or any other by id with --store"
    ),
]
Store = Annotated[str | None, typer.Option(help="DICOM store. [dim]\\[default: the first][/dim]")]
Hl7v2Store = Annotated[
    str | None, typer.Option("--store", help="HL7v2 store. [dim]\\[default: the first][/dim]")
]
FhirStore = Annotated[
    str | None, typer.Option("--store", help="FHIR store. [dim]\\[default: the first][/dim]")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of text; no progress")
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Seconds to wait for the operation, which continues afterwards "
        "[dim]\\[default: until it ends][/dim]",
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(metavar="OPERATION", help="Follow this operation instead of starting one"),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Print the operation's name and leave it running")
]

OneStack = Annotated[str, typer.Option("--stack", "-s", help="Pulumi stack to work on")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Report only; change nothing")]
ProgramFolder = Annotated[
    Path,
    typer.Option(
        "--cwd", "-C", show_default=False, help="Folder of the program, if it is another one"
    ),
]
UseDeployed = Annotated[
    bool, typer.Option("--deployed", help="Deploy nothing: the stack is up, and stays as it is")
]
Studies = Annotated[int, typer.Option(min=1, max=100, help="How many studies to send")]
Source = Annotated[str, typer.Argument(metavar="GS_URI", help="The files; may have wildcards")]
TableUri = Annotated[
    str | None,
    typer.Option("--table", metavar="BQ_URI", help="bq://PROJECT.DATASET.TABLE, not the stack's"),
]

PIPED_COLUMNS = 240
"""Columns of tables in a file or a pipe."""

EXIT_CODES = (
    "[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error; "
    "3 some files failed; 4 timed out, the operation is still running; 130 interrupted."
)


def _width(stream: TextIO) -> int | None:
    """Return the columns of output that is not for a terminal; None lets the library find out.

    Without a terminal it takes 80, and cuts the names of resources that a person copies.
    """
    return None if stream.isatty() or "COLUMNS" in os.environ else PIPED_COLUMNS


class Output:
    """Standard output for results, standard error for everything else.

    Args:
        as_json: print one JSON object to standard output, and nothing else
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False, width=_width(sys.stdout))
        self.err = Console(stderr=True, highlight=False)

    def headline(self, text: str) -> None:
        """Print the heading of a part of the result."""
        self.out.print(Rule(text, align="left"), width=min(80, self.out.width))

    def report(self, text: str) -> None:
        """Print a message for people that is not the result."""
        if not self.as_json:
            self.err.print(text, markup=False, soft_wrap=True)

    def result(self, text: str) -> None:
        """Print a line of the result for people."""
        if not self.as_json:
            self.out.print(text, markup=False, soft_wrap=True)

    def raw(self, line: str) -> None:
        """Print a line of another program, which has coloured it."""
        if not self.as_json:
            self.out.print(Text.from_ansi(line), soft_wrap=True)

    def json(self, shape: dict[str, Any]) -> None:
        """Print the result as JSON, if `--json` is set."""
        if self.as_json:
            sys.stdout.write(json.dumps(shape, indent=2, default=str) + "\n")

    def error(self, error: ScriptError) -> None:
        """Print an error for people; as JSON too, if `--json` is set."""
        self.json({"error": error.to_json()})
        self.err.print(
            Text("error: ", style="bold red").append(error.message, style="default"), soft_wrap=True
        )
        if error.hint:
            self.err.print(error.hint, markup=False, soft_wrap=True)


def interrupt_on_sigterm() -> None:
    """Treat the signal of a cancelled CI job like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def application() -> typer.Typer:
    """Make the application of a one-command script."""
    # Python's last garbage collection takes 0.2 s and frees nothing that matters.
    atexit.register(gc.freeze)
    return typer.Typer(
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run(work: Callable[[Output], None], *, as_json: bool, after_interrupt: str) -> None:
    """Run a script's work; show a ScriptError or Ctrl-C, and end with its exit code.

    Args:
        work: imports what it needs, so that `--help` does not
        as_json: print one JSON object
        after_interrupt: what to do after a Ctrl-C, unless an operation was being followed
    """
    output = Output(as_json=as_json)
    try:
        work(output)
    except ScriptError as error:
        output.error(error)
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        stopped = ScriptError("Interrupted.", after_interrupt, ExitCode.INTERRUPTED)
        output.error(stopped)
        raise typer.Exit(int(stopped.exit_code)) from None
    except BrokenPipeError:
        _leave_quietly()


def _leave_quietly() -> NoReturn:
    """Exit without Python's error about a closed standard output, for pipes to `head`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(int(ExitCode.FAILED))


def command_line(script: str, arguments: Sequence[str]) -> str:
    """Write a command for a person to paste into the shell they are in."""
    python = Path(sys.prefix) / "bin" / "python"
    shown = python.relative_to(ROOT) if python.is_relative_to(ROOT) else Path("python")
    return shlex.join([str(shown), f"scripts/{script}", *arguments])
