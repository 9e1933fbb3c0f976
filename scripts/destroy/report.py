"""What a tear-down did, or would do, for people and for programs."""

from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from scripts.common.cli import Output
from scripts.common.leftovers import Made
from scripts.preview.names import plural
from scripts.removal.contents import Fate
from scripts.removal.flow import Outcome
from scripts.removal.memory import Item


def show(outcome: Outcome, output: Output, *, dry_run: bool) -> None:
    """Draw what was made, and what has become of it."""
    if output.as_json or outcome.empty:
        return
    _list_along(outcome, output, dry_run=dry_run)
    title = "What the stack made" if dry_run else "Asked of the services"
    drawn = Table(title=title, title_justify="left", box=SIMPLE)
    for column in ("kind", "name", "what becomes of it" if dry_run else "state"):
        drawn.add_column(column, overflow="fold")
    for made in outcome.gone:
        _row(drawn, made, "would be destroyed" if dry_run else "gone", "" if dry_run else "green")
    for made in outcome.unknown:
        _row(drawn, made, "not checked: nobody here can look for it", "yellow")
    for item in outcome.worth_naming:
        _row(drawn, item.made, _left(item), "" if item.why else "red")
    output.out.print(drawn)


def _list_along(outcome: Outcome, output: Output, *, dry_run: bool) -> None:
    """Say what happens beside what the stack made."""
    if dry_run:
        for name in outcome.cancelled:
            output.result(f"would be cancelled: operation {name}")
        for content in outcome.contents:
            # The engine deletes the rest with what it lies in: lost is lost.
            output.result(f"would be deleted: {content.kind} {content.name}")
        for grant in outcome.memberships:
            output.result(f"would be removed: {grant.name}")
        return
    if outcome.cancelled:
        output.result(f"Cancelled: {plural(len(outcome.cancelled), 'operation')}.")
    if outcome.contents:
        output.result(
            f"Deleted along: {', '.join(f'{c.kind} {c.name}' for c in outcome.contents)}."
        )


def _row(drawn: Table, made: Made, state: str, style: str) -> None:
    drawn.add_row(made.kind, Text(made.name), Text(state, style))


def _left(item: Item) -> str:
    return f"left: {item.why}" if item.why else "still there"


def conclusion(outcome: Outcome, name: str, *, dry_run: bool) -> str:
    """Sum up in a sentence or two."""
    if outcome.skipped:
        return f"Stack {name!r} is left alone: {outcome.skipped}."
    if outcome.empty:
        return f"Stack {name!r} has made nothing that is left: nothing to tear down."
    if dry_run:
        return (
            f"Dry run, nothing was changed. {plural(len(outcome.gone), 'resource')} would be "
            f"destroyed, {len(outcome.worth_naming)} left."
        )
    protected = outcome.protected
    if protected:
        return f"Protected, and left in the stack: {_named(protected)}. All else is gone."
    said = "Nothing of the stack is left."
    if outcome.worth_naming:
        said = f"Left, as it has to be: {_named(outcome.worth_naming)}. All else is gone."
    if outcome.unknown:
        said += f" Not checked: {plural(len(outcome.unknown), 'resource')}."
    return said


def _named(items: list[Item]) -> str:
    return ", ".join(f"{item.made.kind} {item.made.name}" for item in items)


def shape(outcome: Outcome, name: str, *, dry_run: bool) -> dict[str, Any]:
    """Give the shape that `--json` prints."""
    return {
        "stack": name,
        "dry_run": dry_run,
        "skipped": outcome.skipped or None,
        "cancelled": outcome.cancelled,
        "emptied": [c.shown() for c in outcome.contents if c.fate is Fate.EMPTIED],
        "deleted_along": [c.shown() for c in outcome.contents if c.fate is Fate.GOES],
        "memberships": [grant.shown() for grant in outcome.memberships],
        "gone": [made.shown() for made in outcome.gone],
        "left": [{**item.made.shown(), "why": item.why} for item in outcome.left],
        "not_checked": [made.shown() for made in outcome.unknown],
    }
