"""What the engine would do, and its own list of what it would create, ready to be imported."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
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
        wanted = {place_of(urn): id_ for urn, id_ in ids.items()}
        kept = {self._entries[place]["name"] for place in wanted}
        for place in (*wanted, *map(place_of, inside)):
            parent = self._parent(place)
            while parent is not None:
                kept.add(parent["name"])
                parent = self._by_name.get(parent.get("parent", ""))
        resources = [
            {**entry, "id": wanted[place]} if place in wanted else entry
            for place, entry in self._entries.items()
            if entry["name"] in kept
        ]
        return {**self.document, "resources": resources}

    def parent(self, urn: str) -> str:
        """Give the URN of a created resource's parent: a component, or the stack itself."""
        stack, project, types, _ = urn.split("::", 3)
        name = self._entries[place_of(urn)].get("parent")
        if not name:
            stack_name = stack.rpartition(":")[2]
            return f"{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack_name}"
        if name in self._by_name:
            own = _logical(self._by_name[name])
            return f"{stack}::{project}::{types.rpartition('$')[0]}::{own}"
        return str(self.document["nameTable"][name])

    def lists(self, urn: str) -> bool:
        """Tell whether the engine has the resource in its import file."""
        return place_of(urn) in self._entries

    def orphan(self, urn: str) -> bool:
        """Tell whether the resource's parent is a resource that has to be created first."""
        parent = self._parent(place_of(urn))
        return parent is not None and not parent.get("component")

    def _parent(self, place: Place) -> Entry | None:
        return self._by_name.get(self._entries[place].get("parent", ""))

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry["name"]: entry for entry in self.document.get("resources") or []}

    @cached_property
    def _entries(self) -> dict[Place, Entry]:
        return {(self._types(entry), _logical(entry)): entry for entry in self._by_name.values()}

    def _types(self, entry: Entry) -> str:
        own, parent = str(entry["type"]), entry.get("parent")
        if not parent:
            return own
        if parent in self._by_name:
            return f"{self._types(self._by_name[parent])}${own}"
        return f"{place_of(self.document['nameTable'][parent])[0]}${own}"


def _logical(entry: Entry) -> str:
    """The name that the program gives; `name` is the import file's own where two are the same."""
    return str(entry.get("logicalName") or entry["name"])


def read(document: str) -> dict[str, Any]:
    """Read an import file; the engine writes none where nothing would be created."""
    found: dict[str, Any] = json.loads(document) if document.strip() else {}
    return found
