"""Reports of a survey, for people and for programs."""

import re
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from scripts.adoption.conflicts import text
from scripts.adoption.survey import AdoptionOutcome, Candidate, Survey
from scripts.lib.cli import Output
from scripts.lib.property_values import format_path
from scripts.lib.wording import plural
from scripts.preview import names
from scripts.preview.model import Change
from scripts.resources.resource_types import RESOURCE_TYPES


def show(survey: Survey, output: Output, *, dry_run: bool) -> None:
    """Print the resources to adopt, to create and to update."""
    if output.as_json or not survey.candidates:
        return
    drawn = Table(title="Resources of the program", title_justify="left", box=SIMPLE)
    for column in ("resource", "name", "outcome"):
        drawn.add_column(column, overflow="fold")
    for candidate in [
        *survey.of(AdoptionOutcome.ADOPTED),
        *survey.of(*(set(AdoptionOutcome) - {AdoptionOutcome.ADOPTED})),
    ]:
        style = "green" if candidate.outcome is AdoptionOutcome.ADOPTED else ""
        drawn.add_row(
            candidate.type_name,
            Text(_name(candidate)),
            Text(_describe_outcome(candidate, dry_run=dry_run), style),
        )
    output.out.print(drawn)
    updated = survey.plan.updated(survey.adopted)
    if updated:
        output.result(f"The next `up` would update {plural(len(updated), 'adopted resource')}:")
    for change in updated:
        output.result(f"  {names.type_name(change.state)} {names.name(change.state)}")
        for each in change.properties:
            old, new = text(each.path, each.old), text(each.path, each.new)
            output.result(f"    {format_path(each.path)}: {old} -> {new}")


def shape(survey: Survey) -> dict[str, Any]:
    """Return the shape that `--json` prints."""
    adopted = survey.of(AdoptionOutcome.ADOPTED)
    others = survey.of(*(set(AdoptionOutcome) - {AdoptionOutcome.ADOPTED}))
    return {
        "adopted": [_shape_of(candidate) for candidate in adopted],
        "to_create": [{**_shape_of(t), "fate": str(t.outcome), "note": t.note} for t in others],
        "to_update": [_update(change) for change in survey.plan.updated(survey.adopted)],
    }


def _shape_of(candidate: Candidate) -> dict[str, Any]:
    return {
        "urn": candidate.urn,
        "type": candidate.state.type,
        "kind": candidate.type_name,
        "name": names.name(candidate.state),
        "id": candidate.id,
    }


def _update(change: Change) -> dict[str, Any]:
    return {
        "urn": change.urn,
        "kind": names.type_name(change.state),
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


def _name(candidate: Candidate) -> str:
    """Return its full name below the project; for a grant, role and member."""
    known = RESOURCE_TYPES.get(candidate.state.type)
    if not candidate.id or (known and known.grant):
        return names.name(candidate.state)
    return re.sub(r"^projects/[^/]+/(locations/)?", "", candidate.id)


def _describe_outcome(candidate: Candidate, *, dry_run: bool) -> str:
    if candidate.outcome is AdoptionOutcome.ADOPTED:
        return "exists: would be adopted" if dry_run else "exists: to adopt"
    if candidate.outcome is AdoptionOutcome.NOT_LOOKED_FOR:
        return f"not looked for, would be created ({candidate.note})"
    return f"would be created ({candidate.note})" if candidate.note else "would be created"
