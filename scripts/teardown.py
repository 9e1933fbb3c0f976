"""Destroy a stack, and check in the services that none of its resources is left."""

from typing import Annotated

import typer

from scripts.destroy.request import WAIT_SECONDS, Request
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import DEFAULT_STACK, ROOT

HELP = """Destroy a stack, and check in the services that none of its resources is left.

It cancels running operations in the stack's datasets, deletes BigQuery tables if the stack sets
bigqueryDeleteContents, and removes bindings of deleted accounts. Resources that the stack did not
create are not touched: if one would be lost, nothing is changed, and the error names it. Grants and
audit logs that existed before the stack, or that another stack of the backend declares too, are
left and named. Stacks of other backends can't be seen: the other grants on a real project are
deleted if you agree, or with --remove-grants. Protected resources
(protect, deletionPolicy PREVENT) and their dependencies are left and named. Enabled services stay
enabled.

A local Google Cloud is stopped afterwards; its files stay until `python -m emulator reset`.

[bold]Examples[/bold]

  teardown.py                              the local stack

  teardown.py --stack dev --dry-run        report what would be deleted and left

  teardown.py --stack dev                  asks first; --yes does not

  teardown.py --stack lab-anna --older-than 8h --yes     unless it was updated since

[bold]Exit codes[/bold]: 0 success, or the stack is too young; 1 failure, or a resource is left;
2 usage error; 4 timed out; 5 refused, because contents that the stack did not create would be
lost: nothing was changed; 6 only protected resources are left; 130 interrupted."""

AFTER_INTERRUPT = "Run it again to continue."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = DEFAULT_STACK,
    dry_run: cli.DryRun = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Minimum age of the last update, such as 30m, 8h or 2d; a younger stack is left",
        ),
    ] = None,
    strays: Annotated[
        bool,
        typer.Option(
            "--strays", help="Also delete stores that the stack did not create in its datasets"
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds to wait for running operations and updates")
    ] = WAIT_SECONDS,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Do not stop the local Google Cloud")
    ] = False,
    keep_grants: Annotated[
        bool | None,
        typer.Option(
            "--keep-grants/--remove-grants",
            help="Whether to leave grants on resources that stay, such as the project, "
            "if no other stack of the backend holds them",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first")] = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.destroy import age, command

        limit = age.parse_duration(older_than) if older_than is not None else None
        again = ["--stack", stack_name]
        again += [flag for flag, given in (("--strays", strays), ("--yes", yes)) if given]
        if keep_grants is not None:
            again.append("--keep-grants" if keep_grants else "--remove-grants")
        again += [] if cwd == ROOT else ["--cwd", str(cwd)]
        resume = cli.command_line("teardown.py", again)
        request = Request(resume, dry_run, limit, strays, timeout, keep_grants)
        command.run(stack_name, cwd, request, output, keep_running=keep_running, yes=yes)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    cli.interrupt_on_sigterm()
    app()
