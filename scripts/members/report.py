"""The answers of `access.py`: tables for people, JSON for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import typer
from rich.table import Table

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, UsageError
from scripts.members import grants, permissions, resources
from scripts.members.permissions import Evaluated, Holds
from scripts.members.resources import Resource
from scripts.resources.lookup import Lookup

_HOLDS = {
    Holds.YES: "holds now",
    Holds.NO: "does not hold now",
    Holds.UNKNOWN: "can't be evaluated here",
}


@dataclass(frozen=True)
class Question:
    """Question about the access to a stack.

    Attributes:
        member: show this member only; empty for all
        resource: its grants only, as its full name or its label; empty for all
        check: a member and a permission; None to show the grants
    """

    member: str = ""
    resource: str = ""
    check: tuple[str, str] | None = None


def run(stack_name: str, question: Question, output: Output) -> None:
    """Show the grants on a stack's resources, or check one permission.

    Raises:
        ScriptError: the stack is not up, or a policy can't be read
        typer.Exit: the member does not have the permission, or it is not known whether
    """
    if question.check and "." not in question.check[1]:
        raise UsageError(
            f"{question.check[1]!r} is not a permission.",
            "Name one such as bigquery.tables.getData.",
        )
    stack.enter(stack_name, output.report)
    outputs = stack.outputs(stack_name)
    lookup = Lookup()
    known = resources.of_stack(outputs, lookup)
    targets = [resources.choose(known, question.resource)] if question.resource else known
    read = grants.read(known, outputs.project, lookup)
    for name, reason in read.unread.items():
        output.report(f"The policy of {name} can't be read: {reason}")
    if question.check:
        reader = permissions.role_reader()
        found = permissions.check(read.found, targets, *question.check, reader)
        _show_answer(question, found, targets, output)
        return
    shown = [
        permissions.evaluate(grant, targets)
        for grant in read.found
        if not question.member or grants.is_member(grant, question.member)
        if any(one.has_grants_of(grant.resource) for one in targets)
    ]
    output.json(
        {
            "stack": stack_name,
            "grants": [one.to_json() for one in shown],
            "unread": read.unread,
        }
    )
    if not output.as_json:
        output.out.print(_table(shown, known))


def _show_answer(
    question: Question, by: Sequence[Evaluated], targets: Sequence[Resource], output: Output
) -> None:
    member, permission = question.check or ("", "")
    is_granted = any(one.holds is Holds.YES for one in by)
    is_unknown = not is_granted and any(one.holds is Holds.UNKNOWN for one in by)
    output.json(
        {
            "member": member,
            "permission": permission,
            "granted": None if is_unknown else is_granted,
            "by": [one.to_json() for one in by],
        }
    )
    where = question.resource or "any resource of the stack"
    if is_granted:
        output.result(f"{member} has {permission}:")
    elif is_unknown:
        output.result(f"{member} has {permission} under a condition that can't be evaluated here:")
    else:
        output.result(f"{member} does not have {permission} on {where}.")
    if by and not output.as_json:
        output.out.print(_table(by, targets))
    if not is_granted:
        raise typer.Exit(int(ExitCode.PARTLY_FAILED if is_unknown else ExitCode.FAILED))


def _table(found: Iterable[Evaluated], known: Iterable[Resource]) -> Table:
    labels = {one.name: one.label for one in known}
    table = Table("resource", "member", "role", "condition")
    for one in found:
        grant = one.grant
        condition = f"{grant.condition} ({_HOLDS[one.holds]})" if grant.condition else ""
        label = labels.get(grant.resource, grant.resource)
        table.add_row(label, grant.member, grant.role, condition)
    return table
