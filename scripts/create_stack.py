"""Create the configuration file of a new stack."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output

HELP = """Create the configuration file of a new stack, ready to deploy.

A stack named local-... is on the local Google Cloud, in its own project; every other one is on
Google Cloud, in the project that you name. An existing file is never changed.

[bold]Examples[/bold]

  create_stack.py local-b                        a second local lab

  create_stack.py prod --project my-project      a stack on Google Cloud

[bold]Exit codes[/bold]: 0 created; 1 the file exists; 2 usage error."""

app = cli.application()


@app.command(help=HELP)
def main(
    name: Annotated[str, typer.Argument(help="Name of the stack", metavar="NAME")],
    project: Annotated[
        str | None, typer.Option(help="Id of the Google Cloud project to deploy to")
    ] = None,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.stacks import stack_file

        file = stack_file.create(name, project)
        output.result(f"Created {file.name}. Deploy it with: make lab STACK={name}")

    cli.run(work, as_json=False, after_interrupt="Run it again.")


if __name__ == "__main__":
    app()
