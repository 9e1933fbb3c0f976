"""Settle what an interrupted update left half done; `make up` and `make destroy` begin with it."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.common import cli, stack
from scripts.common.cli import Output
from scripts.common.deploy import to_its_end
from scripts.common.errors import UsageError
from scripts.common.unfinished import settle

HELP = """Settle what an interrupted update left half done: its lock, and what it may have made.

Nothing in the cloud changes. `make up`, `make destroy`, `make lab` and `make lab-down` begin with
this; before a bare `pulumi up` or `pulumi destroy` run it yourself.

[bold]Examples[/bold]

  settle.py --stack dev

  settle.py --stack dev --cwd examples/minimal    another program

[bold]Exit codes[/bold]: 0 settled, or nothing to settle; 1 failed; 2 the command line is wrong;
130 interrupted."""

app = cli.application()


@app.command(help=HELP)
@cli.guarded("Run it again to go on.")
def main(
    stack_name: Annotated[
        str, typer.Option("--stack", "-s", help="Pulumi stack to settle.")
    ] = stack.DEFAULT_STACK,
    cwd: Annotated[
        Path, typer.Option("--cwd", "-C", help="Folder of the program, if it is another one.")
    ] = stack.ROOT,
) -> None:
    """Run the command line."""
    output = Output(as_json=False)
    if not (cwd / "Pulumi.yaml").exists():
        raise UsageError(f"{cwd} has no Pulumi.yaml.", "Name the folder of the program: --cwd.")
    environment = stack.enter(stack_name, output.say).environment
    to_its_end(lambda: settle(stack_name, cwd, environment, output.result))


if __name__ == "__main__":
    app()
