"""Parsers of both forms of `pulumi preview --json`.

The CLI prints one document at the end (`steps`, `diagnostics`, `changeSummary`), or, with
PULUMI_ENABLE_STREAMING_JSON_PREVIEW and in event logs, one engine event a line. Both were
recorded with CLI 3.258.0. Policies and unchanged resources are in the second form only.
"""

import json
from collections.abc import Iterable
from typing import Any

from scripts.lib.property_values import Value, clean, parse_path
from scripts.preview.errors import PreviewInputError
from scripts.preview.fold import fold
from scripts.preview.messages import tidy
from scripts.preview.model import Diff, Preview, Problem, State, Step

_HINT = "Give it what `pulumi preview --json` printed to its standard output."
_DIGEST_KEYS = {"steps", "changeSummary", "diagnostics", "duration", "config", "maybeCorrupt"}


def parse(text: str, *, stack: str = "") -> Preview:
    """Read a preview in either form.

    Args:
        text: the whole output of the CLI
        stack: the stack's name, for a preview that failed before it named one

    Raises:
        PreviewInputError: the text is empty, is not JSON, or is not a preview
    """
    if not text.strip():
        raise PreviewInputError(
            "the preview is empty: the command that should have written it failed before it began; "
            f"its standard error says why. {_HINT}"
        )
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        return _Stream(stack).read(_events(text, error))
    if isinstance(document, dict) and document.keys() & _DIGEST_KEYS:
        return _digest(document, stack)
    if isinstance(document, dict) and "sequence" in document:
        return _Stream(stack).read([document])
    raise PreviewInputError(f"this is JSON, but not a preview. {_HINT}")


def _events(text: str, first: json.JSONDecodeError) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except json.JSONDecodeError as error:
            if not events:
                raise PreviewInputError(
                    f"this is not JSON (line {first.lineno}, column {first.colno}: {first.msg}). "
                    f"{_HINT}"
                ) from None
            raise PreviewInputError(
                f"line {number} of the events is not JSON ({error.msg}): was the preview cut off?"
            ) from None
        if not isinstance(event, dict) or "sequence" not in event:
            raise PreviewInputError(f"line {number} is JSON, but no event of a preview. {_HINT}")
        events.append(event)
    return events


def _digest(document: dict[str, Any], stack: str) -> Preview:
    steps = [_step(raw, "oldState", "newState") for raw in _dicts(document.get("steps"))]
    errors, warnings = [], []
    for raw in _dicts(document.get("diagnostics")):
        severity = raw.get("severity")
        if severity == "error":
            errors.append(_problem(raw, "message", "urn"))
        elif severity == "warning":
            warnings.append(_problem(raw, "message", "urn"))
    failed = bool(errors)
    # The engine's last error, "preview failed", adds nothing to another error.
    errors = [e for e in errors if e.text != "preview failed"] or errors
    return fold(
        stack or _stack_of(steps),
        steps,
        errors=errors,
        warnings=warnings,
        failed=failed or "changeSummary" not in document,
        config=_config(document),
    )


class _Stream:
    """A parser of the stream of events."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._steps: list[Step] = []
        self._errors: list[Problem] = []
        self._warnings: list[Problem] = []
        self._violations: list[Problem] = []
        self._result: str | None = None
        self._config: dict[str, str] = {}

    def read(self, events: Iterable[dict[str, Any]]) -> Preview:
        for event in events:
            if isinstance(pre := event.get("resourcePreEvent"), dict):
                self._steps.append(_event_step(pre))
            elif isinstance(diagnostic := event.get("diagnosticEvent"), dict):
                self._diagnostic(diagnostic)
            elif isinstance(policy := event.get("policyEvent"), dict):
                self._policy(policy)
            elif isinstance(prelude := event.get("preludeEvent"), dict):
                self._config = _config(prelude)
            elif isinstance(error := event.get("errorEvent"), dict):
                self._errors.append(_problem(error, "error", ""))
            elif isinstance(summary := event.get("summaryEvent"), dict):
                # CLIs without this field report a failure by an error alone.
                self._result = str(summary.get("result") or "succeeded")
        return fold(
            self._stack or _stack_of(self._steps),
            self._steps,
            errors=self._errors,
            warnings=self._warnings,
            violations=self._violations,
            failed=bool(self._errors) or self._result != "succeeded",
            config=self._config,
        )

    def _diagnostic(self, raw: dict[str, Any]) -> None:
        # Debug events are left out: the SDK writes plain-text secrets into them.
        if raw.get("ephemeral"):
            return
        if raw.get("severity") == "error":
            self._errors.append(_problem(raw, "message", "urn"))
        elif raw.get("severity") == "warning":
            self._warnings.append(_problem(raw, "message", "urn"))

    def _policy(self, raw: dict[str, Any]) -> None:
        level = str(raw.get("enforcementLevel") or "advisory")
        pack, name = str(raw.get("policyPackName") or ""), str(raw.get("policyName") or "")
        text = f"{level}: {pack}/{name}: {tidy(str(raw.get('message') or ''))}"
        problem = Problem(text, str(raw.get("resourceUrn") or ""))
        self._violations.append(problem)
        if level == "mandatory":
            self._errors.append(Problem(f"the mandatory policy {pack}/{name} is violated"))


def _event_step(event: dict[str, Any]) -> Step:
    metadata = event.get("metadata")
    if not isinstance(metadata, dict):
        raise PreviewInputError(f"an event about a resource has no `metadata`. {_HINT}")
    renamed = {
        **metadata,
        "diffReasons": metadata.get("diffs"),
        "replaceReasons": metadata.get("keys"),
    }
    return _step(renamed, "old", "new")


def _step(raw: dict[str, Any], old: str, new: str) -> Step:
    op, urn = raw.get("op"), raw.get("urn")
    if not isinstance(op, str) or not isinstance(urn, str):
        raise PreviewInputError(f"a step has no `op` or no `urn`. {_HINT}")
    detailed = raw.get("detailedDiff")
    return Step(
        op=op,
        urn=urn,
        old=_state(raw.get(old)),
        new=_state(raw.get(new)),
        changed=_strings(raw.get("diffReasons")),
        forcing=_strings(raw.get("replaceReasons")),
        detailed=tuple(
            Diff(
                path=parse_path(path),
                kind=str(diff.get("kind") or diff.get("diffKind") or "update"),
                inputs=bool(diff.get("inputDiff")),
            )
            for path, diff in (detailed if isinstance(detailed, dict) else {}).items()
            if isinstance(diff, dict)
        ),
    )


def _state(raw: object) -> State | None:
    if not isinstance(raw, dict):
        return None
    return State(
        urn=str(raw.get("urn") or ""),
        type=str(raw.get("type") or ""),
        id=str(raw.get("id") or ""),
        inputs=_properties(raw.get("inputs")),
        outputs=_properties(raw.get("outputs")),
        custom=bool(raw.get("custom")),
        protect=bool(raw.get("protect")),
        retain=bool(raw.get("retainOnDelete")),
        pending_delete=bool(raw.get("delete")),
    )


def _properties(raw: object) -> dict[str, Value]:
    cleaned = clean(raw) if isinstance(raw, dict) else {}
    return cleaned if isinstance(cleaned, dict) else {}


def _problem(raw: dict[str, Any], text: str, urn: str) -> Problem:
    return Problem(tidy(str(raw.get(text) or "")), str(raw.get(urn) or ""))


def _config(raw: dict[str, Any]) -> dict[str, str]:
    config = raw.get("config")
    return {str(key): str(value) for key, value in config.items()} if config else {}


def _dicts(raw: object) -> list[dict[str, Any]]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _strings(raw: object) -> tuple[str, ...]:
    return tuple(item for item in raw if isinstance(item, str)) if isinstance(raw, list) else ()


def _stack_of(steps: list[Step]) -> str:
    """Return the name of the stack, a part of every URN: `urn:pulumi:STACK::PROJECT::...`."""
    for step in steps:
        parts = step.urn.split("::")[0].split(":")
        if len(parts) == 3:
            return parts[2]
    return ""
