"""The answers of `access.py`: tables for people, JSON for machines."""

import typer
from rich.table import Table

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, UsageError
from scripts.members import grants, permissions
from scripts.members.grants import Grant
from scripts.members.permissions import Answer
from scripts.resources.lookup import Lookup


def run(stack_name: str, member: str, check: tuple[str, str] | None, output: Output) -> None:
    """Show the grants on a stack's resources, or check one permission.

    Raises:
        ScriptError: the stack is not up, or a policy can't be read
        typer.Exit: the member does not have the permission, or under a condition only
    """
    if check and "." not in check[1]:
        raise UsageError(
            f"{check[1]!r} is not a permission.", "Name one such as bigquery.tables.getData."
        )
    stack.enter(stack_name, output.report)
    found = grants.read(stack.outputs(stack_name), Lookup())
    if check:
        answer = permissions.check(found, *check, permissions.role_reader())
        _show_answer(*check, answer, output)
        return
    shown = [grant for grant in found if not member or grants.is_member(grant, member)]
    output.json({"stack": stack_name, "grants": [grant.to_json() for grant in shown]})
    if not output.as_json:
        output.out.print(_table(shown))


def _show_answer(member: str, permission: str, answer: Answer, output: Output) -> None:
    by = [*answer.always, *answer.sometimes]
    code = ExitCode.OK if answer.always else ExitCode.FAILED
    if answer.sometimes and not answer.always:
        code = ExitCode.PARTLY_FAILED
    output.json(
        {
            "member": member,
            "permission": permission,
            "granted": bool(answer.always),
            "conditional": bool(answer.sometimes) and not answer.always,
            "by": [grant.to_json() for grant in by],
        }
    )
    if not by:
        output.result(f"{member} does not have {permission} on any resource of the stack.")
    elif not output.as_json:
        only = "" if answer.always else " under a condition only"
        output.result(f"{member} has {permission}{only}:")
        output.out.print(_table(by))
    if code:
        raise typer.Exit(int(code))


def _table(found: list[Grant]) -> Table:
    table = Table("resource", "member", "role", "condition")
    for grant in found:
        table.add_row(_short(grant.resource), grant.member, grant.role, grant.condition)
    return table


def _short(resource: str) -> str:
    """Return a name without its project and location, which are the stack's."""
    parts = resource.split("/")
    if len(parts) == 2:
        return resource
    return "/".join(parts[4:] if parts[2] == "locations" else [f"bigquery/{parts[-1]}"])
