"""Prepare a stack for an update; `make up`, `make refresh` and `make example` begin with it."""

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import DEFAULT_STACK, ROOT

HELP = """Prepare a stack for an update: recover it after an interrupted one, mark shared grants.

An interrupted update leaves its lock, and what it may have created. Grants that other stacks of the
backend hold too are marked: an update that no longer declares one leaves it in the policy. Before
its first update, the other stacks in its project are named.

Nothing in the cloud changes. `make up`, `make destroy`, `make lab` and `make lab-down` begin with
this; before a bare `pulumi up` or `pulumi destroy` run it yourself.

[bold]Examples[/bold]

  recover.py --stack dev

  recover.py --stack dev --cwd examples/minimal    another program

[bold]Exit codes[/bold]: 0 recovered, or nothing to do; 1 failure; 2 usage error;
130 interrupted."""

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = DEFAULT_STACK,
    cwd: cli.ProgramFolder = ROOT,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.lib import stack as stacks
        from scripts.lib.pulumi_stack import PulumiStack, require_program
        from scripts.stacks import deploy

        program = require_program(cwd)
        environment = stacks.enter(stack_name, output.report).environment
        stack = PulumiStack(stack_name, program, environment)
        deploy.prepare(stack, output.result)

    cli.run(work, as_json=False, after_interrupt="Run it again to continue.")


if __name__ == "__main__":
    app()
