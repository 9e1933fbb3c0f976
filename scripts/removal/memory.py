"""What is being torn down, remembered until its absence is proved."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.common.leftovers import Made
from scripts.removal.state import Why


@dataclass(frozen=True)
class Item:
    """Something that the stack made, and why it is left if it is.

    Attributes:
        made: the thing.
        why: None for what has to be gone.
    """

    made: Made
    why: Why | None = None


@dataclass(frozen=True)
class Memory:
    """A file of what a tear-down is after.

    After the destroy the state no longer knows the names: without this file, a tear-down whose
    proof was interrupted could never be proved.
    """

    file: Path

    def recall(self) -> list[Item]:
        """Give what an earlier, unproved tear-down was after."""
        if not self.file.exists():
            return []
        listed = json.loads(self.file.read_text("utf-8"))
        return [
            Item(Made(**item["made"]), Why(item["why"]) if item["why"] else None) for item in listed
        ]

    def keep(self, items: Iterable[Item]) -> None:
        """Remember, whole or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        listed = [{"made": item.made.to_json(), "why": item.why} for item in items]
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
        draft.replace(self.file)

    def drop(self) -> None:
        """Forget: it is proved."""
        self.file.unlink(missing_ok=True)


def merged(now: Iterable[Item], earlier: Iterable[Item]) -> list[Item]:
    """Join what the state has with what it had; what the state says counts."""
    found = {item.made.key: item for item in [*earlier, *now]}
    return list(found.values())
