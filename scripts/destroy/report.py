"""The report of a tear-down, for people and for programs."""

from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from scripts.destroy.contents import Treatment
from scripts.destroy.journal import Item
from scripts.destroy.remaining import ManagedResource
from scripts.destroy.teardown import Outcome
from scripts.lib.cli import Output
from scripts.lib.pulumi_command import advised
from scripts.lib.wording import plural


def show(outcome: Outcome, output: Output, *, dry_run: bool) -> None:
    """Print a table of the stack's resources and their outcome."""
    if output.as_json or outcome.empty:
        return
    _list_along(outcome, output, dry_run=dry_run)
    title = "Resources of the stack" if dry_run else "Resources as the services list them"
    drawn = Table(title=title, title_justify="left", box=SIMPLE)
    for column in ("kind", "name", "outcome" if dry_run else "state"):
        drawn.add_column(column, overflow="fold")
    for resource in outcome.gone:
        _row(
            drawn, resource, "would be destroyed" if dry_run else "gone", "" if dry_run else "green"
        )
    for resource in outcome.unknown:
        _row(drawn, resource, "not checked: this type can't be looked up", "yellow")
    for item in outcome.worth_naming:
        _row(drawn, item.resource, _left(item), "" if item.why else "red")
    output.out.print(drawn)


def _list_along(outcome: Outcome, output: Output, *, dry_run: bool) -> None:
    """Print what happens to operations, contents and grants."""
    if dry_run:
        for name in outcome.cancelled:
            output.result(f"would be cancelled: operation {name}")
        for content in outcome.contents:
            # Pulumi deletes the rest with its container.
            output.result(f"would be deleted: {content.type_name} {content.name}")
        for grant in outcome.memberships:
            output.result(f"would be removed: {grant.name}")
        return
    if outcome.cancelled:
        output.result(f"Cancelled: {plural(len(outcome.cancelled), 'operation')}.")
    if outcome.contents:
        contents = ", ".join(f"{c.type_name} {c.name}" for c in outcome.contents)
        output.result(f"Deleted with the stack: {contents}.")


def _row(drawn: Table, resource: ManagedResource, state: str, style: str) -> None:
    drawn.add_row(resource.type_name, Text(resource.name), Text(state, style))


def _left(item: Item) -> str:
    return f"left: {item.why}" if item.why else "still there"


def conclusion(outcome: Outcome, name: str, *, dry_run: bool) -> str:
    """Return a summary of one or two sentences."""
    if outcome.skipped:
        return f"Stack {name!r} is left alone: {outcome.skipped}."
    if outcome.empty and outcome.no_stack:
        listing = advised(name, "stack ls")
        return f"There is no stack {name!r}: nothing to tear down. {listing} lists them."
    if outcome.empty:
        return f"Stack {name!r} has no resources: nothing to tear down."
    if dry_run:
        return (
            f"Dry run, nothing was changed. {plural(len(outcome.gone), 'resource')} would be "
            f"destroyed, {len(outcome.worth_naming)} left."
        )
    protected = outcome.protected
    if protected:
        return (
            f"Protected, and left in the stack: {_named(protected)}. Everything else is deleted."
            " To delete these too, take the protection out of the stack file, run"
            f" `make up STACK={name}`, then run this again."
        )
    summary = "Nothing of the stack is left."
    if outcome.worth_naming:
        summary = f"Left on purpose: {_named(outcome.worth_naming)}. Everything else is deleted."
    if outcome.unknown:
        summary += f" Not checked: {plural(len(outcome.unknown), 'resource')}."
    return summary


def _named(items: list[Item]) -> str:
    return ", ".join(sorted(f"{item.resource.type_name} {item.resource.name}" for item in items))


def shape(outcome: Outcome, name: str, *, dry_run: bool) -> dict[str, Any]:
    """Return the shape that `--json` prints."""
    return {
        "stack": name,
        "dry_run": dry_run,
        "skipped": outcome.skipped or None,
        "cancelled": outcome.cancelled,
        "emptied": [c.to_report() for c in outcome.contents if c.treatment is Treatment.EMPTIED],
        "deleted_along": [c.to_report() for c in outcome.contents if c.treatment is Treatment.GOES],
        "memberships": [grant.to_report() for grant in outcome.memberships],
        "gone": [resource.to_report() for resource in outcome.gone],
        "left": [{**item.resource.to_report(), "why": item.why} for item in outcome.left],
        "not_checked": [resource.to_report() for resource in outcome.unknown],
    }
