"""Bring resources that exist under a stack, without replacing any."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import DEFAULT_STACK, ROOT

HELP = """Bring resources that exist under a stack, without replacing any.

The stack file lists the resources of the stack. Those that exist already are looked up by name in
the services and imported into the stack's state; nothing in the cloud changes. The import is tried
in a copy of the state first. If the stack would then replace or delete one of them, nothing is
adopted, and the error names the key of the stack file to change.

[bold]Examples[/bold]

  adopt.py --stack dev --dry-run      report what exists and what would be created

  adopt.py --stack dev                adopt it; then `make preview`, `make up`

  adopt.py --stack dev --json         the same for programs

[bold]Exit codes[/bold]: 0 adopted, or nothing to adopt; 1 failure; 2 usage error; 5 refused,
because a resource would be replaced; 130 interrupted. After 1, 5 and 130 the state is as before."""

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = DEFAULT_STACK,
    dry_run: cli.DryRun = False,
    beside: Annotated[
        bool,
        typer.Option(
            "--beside",
            help="Allow a new dataset even if another location has one with its id",
        ),
    ] = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.adoption import command

        command.run(stack_name, cwd, output, dry_run=dry_run, beside=beside)

    cli.run(work, as_json=as_json, after_interrupt="Nothing was adopted. Run it again.")


if __name__ == "__main__":
    cli.interrupt_on_sigterm()
    app()
