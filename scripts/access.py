"""Who can do what with the resources of a stack, from their IAM policies."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output

HELP = """Show who can do what with the resources of a stack, from their IAM policies.

A role on the project counts on every resource in it. Groups are named, not expanded.

[bold]Examples[/bold]

  access.py                               every grant on the stack's resources

  access.py --member anna@example.com     the grants of one member

  access.py --check anna@example.com healthcare.dicomStores.dicomWebRead

  access.py --check anna@example.com storage.objects.get --resource gs://scans/ct/1.dcm

  access.py --check anna@example.com bigquery.tables.getData --json

[bold]Exit codes[/bold]: 0 success, the member has the permission; 1 failure, the member
does not have it; 2 usage error; 3 a condition that can't be evaluated here decides;
130 interrupted."""

AFTER_INTERRUPT = "Nothing has changed; run the same command again."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = "local",
    member: Annotated[
        str, typer.Option(help="Show this member only, as IAM writes it or by e-mail address")
    ] = "",
    check: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="MEMBER PERMISSION", help="Whether a member has a permission"),
    ] = None,
    resource: Annotated[
        str,
        typer.Option(help="Ask about this resource only: its full name, or as the table has it"),
    ] = "",
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.members import report

        report.run(stack_name, report.Question(member, resource, check), output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
