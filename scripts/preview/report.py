"""A preview as JSON, for programs."""

import json

from scripts.lib.property_values import Json, Special, Value, format_path, show
from scripts.preview.acknowledge import Acknowledgement
from scripts.preview.loss import left_behind, losses, lowered_guards
from scripts.preview.model import Action, Change, Preview, Problem
from scripts.preview.names import name, type_name
from scripts.preview.sentences import text


def report(
    preview: Preview, acknowledged: Acknowledgement, *, hide: bool = False, exit_code: int = 0
) -> str:
    """Return the preview as a JSON document; `schema` rises when a key changes its meaning."""
    lost = losses(preview, hide=hide)
    document: Json = {
        "schema": 1,
        "stack": preview.stack,
        "failed": preview.failed or bool(exit_code),
        "counts": {
            action.value: len(preview.by(action)) for action in Action if action is not Action.SAME
        },
        "dataLoss": {
            "found": bool(lost),
            "acknowledged": bool(acknowledged),
            "by": acknowledged.by or None,
            "losses": [
                {
                    "urn": loss.urn,
                    "kind": loss.type_name,
                    "name": loss.name,
                    "cause": loss.cause,
                    "sentence": text(loss.sentence),
                    "takes": [
                        {"urn": s.urn, "kind": type_name(s), "name": name(s, hide=hide)}
                        for s in loss.takes
                    ],
                }
                for loss in lost
            ],
        },
        "guardsLowered": [text(sentence) for sentence in lowered_guards(preview, hide=hide)],
        "leftBehind": [change.urn for change in left_behind(preview)],
        "changes": [_change(change, hide=hide) for change in preview.changes],
        "errors": _problems(preview.errors, hide=hide),
        "warnings": _problems(preview.warnings, hide=hide),
        "policies": _problems(preview.violations, hide=hide),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _change(change: Change, *, hide: bool) -> Json:
    return {
        "action": change.action.value,
        "urn": change.urn,
        "kind": type_name(change.state),
        "name": name(change.state, hide=hide),
        "wasGone": change.was_gone,
        "forcedBy": list(change.forced_by),
        "properties": [
            {
                "path": format_path(prop.path),
                "old": _value(prop.path, prop.old, hide=hide),
                "new": _value(prop.path, prop.new, hide=hide),
                "forcesReplacement": prop.forces_replacement,
            }
            for prop in change.properties
        ],
    }


def _value(path: tuple[str | int, ...], value: Value, *, hide: bool) -> Json:
    """Return the text of a value, or an object with the reason why there is none."""
    shown = show(path, value, hide=hide)
    return {"special": shown.name.lower()} if isinstance(shown, Special) else shown


def _problems(problems: tuple[Problem, ...], *, hide: bool) -> list[Json]:
    return [{"urn": p.urn or None, "text": None if hide else p.text} for p in problems]
