"""The journal of a tear-down: its resources, until the services confirm their deletion."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.destroy.remaining import ManagedResource
from scripts.destroy.state import RetentionReason


@dataclass(frozen=True)
class Item:
    """A resource of the stack, and why it is left.

    Attributes:
        resource: the resource
        why: None if it has to be deleted
    """

    resource: ManagedResource
    why: RetentionReason | None = None


@dataclass(frozen=True)
class TeardownJournal:
    """A file with the resources that a tear-down deletes.

    After the destroy the state no longer has the names: without this file, a tear-down that was
    interrupted then could never be checked.
    """

    file: Path

    def load(self) -> list[Item]:
        """Return the resources of an earlier tear-down that was not checked."""
        if not self.file.exists():
            return []
        listed = json.loads(self.file.read_text("utf-8"))
        return [
            Item(
                ManagedResource(**item["made"]),
                RetentionReason(item["why"]) if item["why"] else None,
            )
            for item in listed
        ]

    def save(self, items: Iterable[Item]) -> None:
        """Write the resources to the journal, in one atomic step."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        listed = [{"made": item.resource.to_json(), "why": item.why} for item in items]
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
        draft.replace(self.file)

    def clear(self) -> None:
        """Delete the journal: every resource has been checked."""
        self.file.unlink(missing_ok=True)


def merge(now: Iterable[Item], earlier: Iterable[Item]) -> list[Item]:
    """Merge the resources of the state with earlier ones; the state takes precedence."""
    found = {item.resource.key: item for item in [*earlier, *now]}
    return list(found.values())
