"""Destroy a stack, and prove through the services' own lists that nothing of it is left."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine import places
from scripts.common import cli, deploy, leftovers, stack
from scripts.common.cli import Output
from scripts.common.errors import ScriptError
from scripts.common.leftovers import Made

HELP = """Destroy a stack, and prove through the services' own lists that nothing of it is left.

Only what the stack made is touched or looked for. Enabled services stay enabled. A local Google
Cloud is stopped afterwards; its files stay until `python -m emulator reset`.

[bold]Examples[/bold]

  teardown.py                   the local stack

  teardown.py --stack dev       asks first, when run in a terminal

  teardown.py --keep-running    leave the local Google Cloud running

[bold]Exit codes[/bold]: 0 nothing is left; 1 failed, or something is left; 2 the command line is
wrong; 130 interrupted."""

app = cli.application()


@dataclass(frozen=True)
class Memory:
    """What is being torn down, kept in a file until its absence is proved.

    After the destroy the state no longer knows the names: without this file, a teardown whose
    proof was interrupted could never be proved.
    """

    file: Path

    def recall(self) -> list[Made]:
        """Give what an earlier, unproved teardown was after."""
        if not self.file.exists():
            return []
        return [Made(**made) for made in json.loads(self.file.read_text("utf-8"))]

    def keep(self, made: list[Made]) -> None:
        """Remember, whole or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps([m.to_json() for m in made], indent=2) + "\n", "utf-8")
        draft.replace(self.file)

    def drop(self) -> None:
        """Forget: it is proved."""
        self.file.unlink(missing_ok=True)


def _merged(earlier: list[Made], now: list[Made]) -> list[Made]:
    return list(dict.fromkeys([*now, *earlier]))


def _show(made: list[Made], left: list[Made], output: Output) -> None:
    drawn = Table(title="Asked of the services", title_justify="left")
    for column in ("kind", "name", "state"):
        drawn.add_column(column, overflow="fold")
    for thing in made:
        state = "[green]gone"
        if thing in left:
            state = "kept, as the program says" if thing.retained else "[red]still there"
        drawn.add_row(thing.kind, thing.name, state)
    output.out.print(drawn)


def tear_down(name: str, output: Output) -> list[Made]:
    """Destroy the stack and prove it.

    Returns:
        What the stack had made; empty if there was nothing.

    Raises:
        ScriptError: the destroy failed, or something is left; the table has been shown.
    """
    place = stack.enter(name, output.say)
    memory = Memory(places.lab_dir() / f"teardown-{name}.json")
    state = deploy.resources(name, place.environment)
    made = _merged(memory.recall(), leftovers.made_by(state))
    if deploy.countable(state):
        memory.keep(made)
        color = output.out.is_terminal
        deploy.destroy(name, place.environment, report=output.raw, color=color)
    if not made:
        output.result(f"Stack {name!r} has made nothing that is left: nothing to tear down.")
        return []
    left = leftovers.still_there(made)
    if not output.as_json:
        _show(made, left, output)
    wrong = [thing for thing in left if not thing.retained]
    if wrong:
        raise ScriptError(
            f"{len(wrong)} of {len(made)} are still there: "
            + ", ".join(f"{thing.kind} {thing.name}" for thing in wrong)
            + ".",
            "Run it again. What stays even then was made anew by someone else: delete it by hand.",
            details={"left": [thing.to_json() for thing in wrong]},
        )
    memory.drop()
    return made


@app.command(help=HELP)
@cli.guarded("Run it again to go on; if Pulumi says that the stack is locked, run `pulumi cancel`.")
def main(
    stack_name: Annotated[
        str, typer.Option("--stack", "-s", help="Pulumi stack to destroy.")
    ] = stack.DEFAULT_STACK,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Do not stop the local Google Cloud.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    asks = not (yes or as_json or places.is_local(stack_name)) and output.err.is_terminal
    if asks and not typer.confirm(f"Destroy stack {stack_name!r} and all its data?", err=True):
        raise ScriptError("Nothing was destroyed.")
    made = tear_down(stack_name, output)
    if not keep_running:
        stack.leave(stack_name)
    output.result("Nothing of the stack is left." if made else "Nothing is left.")
    output.json({"stack": stack_name, "gone": [thing.to_json() for thing in made]})


if __name__ == "__main__":
    app()
