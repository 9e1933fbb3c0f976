"""The dead letters of a spool: what was refused, and its delivery again.

The adapter may run meanwhile: it looks for what was put back into its spool.
"""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from workloads.common import spool
from workloads.common.spool import SpoolError

HELP = """List the dead letters of an adapter's spool, or deliver them again.

[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error."""

_FAILED = 1

app = typer.Typer(
    help=HELP,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of --spool")]


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter.

    Attributes:
        key: the name of its file
        refused: the time, in RFC 3339
        reason: of the refusal; it may hold patient data
        attributes: of the item
    """

    key: str
    refused: str
    reason: str
    attributes: dict[str, str]


def find(folder: Path) -> list[DeadLetter]:
    """Return the dead letters of a spool, the oldest first.

    Raises:
        SpoolError: the folder is not a spool, or can't be read
    """
    dead = folder / spool.DEAD
    if not dead.is_dir():
        raise SpoolError(
            f"{folder} is not a spool: it has no folder {spool.DEAD!r}. Name the folder of --spool."
        )
    try:
        return [_read(path) for path in sorted(dead.glob("*.json"))]
    except OSError as error:
        raise SpoolError(
            f"{error.filename} can't be read: {error.strerror}. Run this as the adapter's user."
        ) from error


def redeliver(folder: Path, letter: DeadLetter) -> None:
    """Put a dead letter back into its spool, as its file is now.

    Raises:
        SpoolError: its files can't be read or written, or the adapter could not read them
    """
    dead = folder / spool.DEAD
    if folder.stat().st_uid != os.geteuid():
        raise SpoolError(f"{folder} belongs to another user. Run this as the adapter's user.")
    try:
        data = (dead / letter.key).read_bytes()
        spool.write_pending(folder, time.time_ns(), data, letter.attributes)
        # A crash before this line delivers it twice.
        (dead / f"{letter.key}.json").unlink()
        (dead / letter.key).unlink()
    except OSError as error:
        raise SpoolError(
            f"The dead letter {letter.key} was not moved: {error.strerror}. Check the rights and"
            f" the disk of {folder}."
        ) from error


@app.command("list")
def list_letters(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array")] = False,
) -> None:
    """List the dead letters, with the reason of each: it may hold patient data."""
    letters = _or_fail(folder)
    if as_json:
        typer.echo(json.dumps([asdict(letter) for letter in letters], indent=2))
        return
    for letter in letters:
        described = " ".join(f"{name}={value}" for name, value in letter.attributes.items())
        typer.echo(f"{letter.key}  {letter.refused}  {described}\n    {letter.reason}")
    typer.echo(_count(len(letters)))


@app.command("redeliver")
def redeliver_letters(
    folder: Folder,
    keys: Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Of `list`")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Deliver all of them")] = False,
) -> None:
    """Deliver dead letters again; edit FOLDER/dead/KEY before, to correct one."""
    if bool(keys) == is_all:
        raise typer.BadParameter("name the keys of dead letters, or --all")
    letters = {letter.key: letter for letter in _or_fail(folder)}
    if unknown := sorted(set(keys or []) - letters.keys()):
        _fail(f"{folder} has no dead letter {unknown[0]}. `list` prints the keys.")
    wanted = [letter for key, letter in letters.items() if is_all or key in (keys or [])]
    try:
        for letter in wanted:
            redeliver(folder, letter)
    except SpoolError as error:
        _fail(str(error))
    typer.echo(f"{_count(len(wanted))} put back: the adapter delivers what is in {folder}.")


def _read(path: Path) -> DeadLetter:
    report: dict[str, Any] = json.loads(path.read_text())
    return DeadLetter(path.stem, report["refused"], report["reason"], report["attributes"])


def _or_fail(folder: Path) -> list[DeadLetter]:
    try:
        return find(folder)
    except SpoolError as error:
        _fail(str(error))


def _count(number: int) -> str:
    return f"{number} dead letter{'' if number == 1 else 's'}"


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    raise typer.Exit(_FAILED)


if __name__ == "__main__":
    app()
