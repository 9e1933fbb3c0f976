"""What the engine would do, and its own list of what it would create, ready to be imported."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.preview.model import Action, Change, Preview

Entry = dict[str, Any]
Place = tuple[str, str]
"""Where a resource stands: the types from its outermost parent to itself, and its name."""

_DAMAGE = {Action.REPLACE, Action.DELETE, Action.FORGET}


def place_of(urn: str) -> Place:
    """Give what makes a URN unique in its stack."""
    _, _, types, name = urn.split("::", 3)
    return types, name


@dataclass(frozen=True)
class Plan:
    """A preview, and the import file that the engine wrote with it.

    Attributes:
        preview: what would happen to each resource.
        document: the import file: everything that would be created, components too, ids to fill in.
    """

    preview: Preview
    document: Mapping[str, Any]

    @property
    def created(self) -> list[Change]:
        """What the program wants and the stack does not manage yet."""
        return self.preview.by(Action.CREATE)

    def damaged(self, urns: set[str]) -> list[Change]:
        """Give those of the resources that would be replaced or go."""
        changes = self.preview.changes
        return [change for change in changes if change.urn in urns and change.action in _DAMAGE]

    def updated(self, urns: set[str]) -> list[Change]:
        """Give those of the resources that would be updated in place."""
        return [change for change in self.preview.by(Action.UPDATE) if change.urn in urns]

    def importable(self, ids: Mapping[str, str], inside: Iterable[str] = ()) -> dict[str, Any]:
        """Write the import file of some of the resources, and of the components they stand in.

        Args:
            ids: URN -> id, each of a resource that would be created.
            inside: URNs of resources of which the components alone are to be imported.
        """
        entries = dict(self._entries())
        by_name = {entry["name"]: entry for entry in entries.values()}
        wanted = {place_of(urn): id_ for urn, id_ in ids.items()}
        kept = {entries[place]["name"] for place in wanted}
        for place in (*wanted, *map(place_of, inside)):
            parent = by_name.get(entries[place].get("parent", ""))
            while parent is not None:
                kept.add(parent["name"])
                parent = by_name.get(parent.get("parent", ""))
        resources = [
            {**entry, "id": wanted[place]} if place in wanted else entry
            for place, entry in entries.items()
            if entry["name"] in kept
        ]
        return {**self.document, "resources": resources}

    def parent(self, urn: str) -> str:
        """Give the URN of a created resource's parent: a component, or the stack itself."""
        stack, project, types, _ = urn.split("::", 3)
        entries = dict(self._entries())
        name = entries[place_of(urn)].get("parent")
        if not name:
            stack_name = stack.rpartition(":")[2]
            return f"{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack_name}"
        for (_, own), entry in entries.items():
            if entry["name"] == name:
                return f"{stack}::{project}::{types.rpartition('$')[0]}::{own}"
        return str(self.document["nameTable"][name])

    def lists(self, urn: str) -> bool:
        """Tell whether the engine has the resource in its import file."""
        return place_of(urn) in dict(self._entries())

    def orphan(self, urn: str) -> bool:
        """Tell whether the resource's parent is a resource that has to be created first."""
        entries = dict(self._entries())
        by_name = {entry["name"]: entry for entry in entries.values()}
        parent = by_name.get(entries[place_of(urn)].get("parent", ""))
        return parent is not None and not parent.get("component")

    def _entries(self) -> Iterator[tuple[Place, Entry]]:
        entries: list[Entry] = self.document.get("resources") or []
        by_name = {entry["name"]: entry for entry in entries}
        for entry in entries:
            yield (self._types(entry, by_name), entry.get("logicalName") or entry["name"]), entry

    def _types(self, entry: Entry, by_name: Mapping[str, Entry]) -> str:
        own, parent = str(entry["type"]), entry.get("parent")
        if not parent:
            return own
        if parent in by_name:
            return f"{self._types(by_name[parent], by_name)}${own}"
        return f"{place_of(self.document['nameTable'][parent])[0]}${own}"


def read(document: str) -> dict[str, Any]:
    """Read an import file; the engine writes none where nothing would be created."""
    found: dict[str, Any] = json.loads(document) if document.strip() else {}
    return found
