"""What was found, for people and for programs."""

import re
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from scripts.adoption.conflicts import text
from scripts.adoption.kinds import KINDS
from scripts.adoption.survey import Fate, Survey, Thing
from scripts.common.cli import Output
from scripts.preview import names
from scripts.preview.model import Change
from scripts.preview.values import format_path


def show(survey: Survey, output: Output) -> None:
    """Draw what comes under the stack, what would be created, what would be updated."""
    if output.as_json or not survey.things:
        return
    drawn = Table(
        title="What the program wants, and what there is", title_justify="left", box=SIMPLE
    )
    for column in ("resource", "name", "what becomes of it"):
        drawn.add_column(column, overflow="fold")
    for thing in [*survey.of(Fate.ADOPTED), *survey.of(*(set(Fate) - {Fate.ADOPTED}))]:
        drawn.add_row(
            thing.kind,
            Text(_name(thing)),
            Text(_fate(thing), "green" if thing.fate is Fate.ADOPTED else ""),
        )
    output.out.print(drawn)
    updated = survey.plan.updated(survey.adopted)
    if updated:
        output.result(
            f"The next `up` would update {names.plural(len(updated), 'adopted resource')}:"
        )
    for change in updated:
        output.result(f"  {names.kind(change.state)} {names.name(change.state)}")
        for each in change.properties:
            old, new = text(each.path, each.old), text(each.path, each.new)
            output.result(f"    {format_path(each.path)}: {old} -> {new}")


def shape(survey: Survey) -> dict[str, Any]:
    """Give the shape that `--json` prints."""
    adopted = survey.of(Fate.ADOPTED)
    others = survey.of(*(set(Fate) - {Fate.ADOPTED}))
    return {
        "adopted": [_thing(thing) for thing in adopted],
        "to_create": [{**_thing(t), "fate": str(t.fate), "note": t.note} for t in others],
        "to_update": [_update(change) for change in survey.plan.updated(survey.adopted)],
    }


def _thing(thing: Thing) -> dict[str, Any]:
    return {
        "urn": thing.urn,
        "type": thing.state.type,
        "kind": thing.kind,
        "name": names.name(thing.state),
        "id": thing.id,
    }


def _update(change: Change) -> dict[str, Any]:
    return {
        "urn": change.urn,
        "kind": names.kind(change.state),
        "name": names.name(change.state),
        "properties": [
            {
                "path": format_path(each.path),
                "old": text(each.path, each.old),
                "new": text(each.path, each.new),
            }
            for each in change.properties
        ],
    }


def _name(thing: Thing) -> str:
    """Its full name below the project; a grant by role and member, as its id is a long one."""
    known = KINDS.get(thing.state.type)
    if not thing.id or (known and known.grant):
        return names.name(thing.state)
    return re.sub(r"^projects/[^/]+/(locations/)?", "", thing.id)


def _fate(thing: Thing) -> str:
    if thing.fate is Fate.ADOPTED:
        return "exists: adopted"
    if thing.fate is Fate.NOT_LOOKED_FOR:
        return f"not looked for, would be created ({thing.note})"
    return f"would be created ({thing.note})" if thing.note else "would be created"
