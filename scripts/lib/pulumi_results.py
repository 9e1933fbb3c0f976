"""The results of Pulumi's commands, as far as the scripts use them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.pulumi_command import CommandResult

_STACK_TYPE = "pulumi:pulumi:Stack"
# The operations after which the state no longer has the resource.
_REMOVALS = frozenset({"delete", "discard"})


@dataclass(frozen=True)
class PreviewResult:
    """The result of a preview.

    Attributes:
        command: the command, with the JSON document as its output
        import_file: the import file that Pulumi wrote; empty if nothing would be created
    """

    command: CommandResult
    import_file: str


@dataclass(frozen=True)
class UpdateResult:
    """The result of an `up`.

    Attributes:
        changes: how many resources were created, updated, left the same, ...
        outputs: the stack's outputs, plain values
    """

    changes: dict[str, int]
    outputs: dict[str, Any]

    @property
    def resources(self) -> int:
        """How many resources the stack has, counted as in Pulumi's own summary."""
        return sum(n for operation, n in self.changes.items() if operation not in _REMOVALS)


def read_events(log: Path) -> UpdateResult:
    """Read the outputs and the counts of an update from the engine's events, one a line."""
    changes: dict[str, int] = {}
    outputs: dict[str, Any] = {}
    for event in map(json.loads, log.read_text("utf-8").splitlines()):
        if "summaryEvent" in event:
            changes = dict(event["summaryEvent"].get("resourceChanges") or {})
        metadata = event.get("resOutputsEvent", {}).get("metadata", {})
        if metadata.get("type") == _STACK_TYPE:
            outputs = dict((metadata.get("new") or {}).get("outputs") or {})
    return UpdateResult(changes, outputs)
