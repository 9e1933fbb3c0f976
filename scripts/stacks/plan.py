"""Plans: a preview, with the import file of the resources that it would create."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scripts.lib.pulumi_stack import PulumiStack
from scripts.preview.errors import PreviewInputError
from scripts.preview.model import Action, Change, Preview
from scripts.preview.parse import parse

Entry = dict[str, Any]
ResourceKey = tuple[str, str]
"""The types from a resource's outermost parent to itself, and its name."""

_DAMAGE = {Action.REPLACE, Action.DELETE, Action.FORGET}


def key_of(urn: str) -> ResourceKey:
    """Return the part of a URN that is unique in its stack."""
    _, _, types, name = urn.split("::", 3)
    return types, name


@dataclass(frozen=True)
class Plan:
    """A preview, and its import file.

    Attributes:
        preview: the changes of each resource
        document: the import file: all resources to create, components included, without ids
    """

    preview: Preview
    document: Mapping[str, Any]

    @property
    def created(self) -> list[Change]:
        """The resources that the program wants and the stack does not manage yet."""
        return self.preview.by(Action.CREATE)

    def destructive_changes(self, urns: set[str]) -> list[Change]:
        """Return the resources that would be replaced or deleted."""
        changes = self.preview.changes
        return [change for change in changes if change.urn in urns and change.action in _DAMAGE]

    def updated(self, urns: set[str]) -> list[Change]:
        """Return the resources that would be updated in place."""
        return [change for change in self.preview.by(Action.UPDATE) if change.urn in urns]

    def importable(self, ids: Mapping[str, str], inside: Iterable[str] = ()) -> dict[str, Any]:
        """Return the import file of some resources and their components.

        Args:
            ids: URN -> id of resources that would be created
            inside: URNs of resources whose components alone are imported
        """
        wanted = {key_of(urn): id_ for urn, id_ in ids.items()}
        kept = {self._entries[key]["name"] for key in wanted}
        for key in (*wanted, *map(key_of, inside)):
            parent = self._parent(key)
            while parent is not None:
                kept.add(parent["name"])
                parent = self._by_name.get(parent.get("parent", ""))
        resources = [
            {**entry, "id": wanted[key]} if key in wanted else entry
            for key, entry in self._entries.items()
            if entry["name"] in kept
        ]
        return {**self.document, "resources": resources}

    def parent(self, urn: str) -> str:
        """Return the URN of a created resource's parent: a component, or the stack itself."""
        stack, project, types, _ = urn.split("::", 3)
        name = self._entries[key_of(urn)].get("parent")
        if not name:
            stack_name = stack.rpartition(":")[2]
            return f"{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack_name}"
        if name in self._by_name:
            own = _logical(self._by_name[name])
            return f"{stack}::{project}::{types.rpartition('$')[0]}::{own}"
        return str(self.document["nameTable"][name])

    def lists(self, urn: str) -> bool:
        """Return whether the import file has the resource."""
        return key_of(urn) in self._entries

    def orphan(self, urn: str) -> bool:
        """Return whether the resource's parent is a resource that has to be created first."""
        parent = self._parent(key_of(urn))
        return parent is not None and not parent.get("component")

    def _parent(self, key: ResourceKey) -> Entry | None:
        return self._by_name.get(self._entries[key].get("parent", ""))

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry["name"]: entry for entry in self.document.get("resources") or []}

    @cached_property
    def _entries(self) -> dict[ResourceKey, Entry]:
        return {(self._types(entry), _logical(entry)): entry for entry in self._by_name.values()}

    def _types(self, entry: Entry) -> str:
        own, parent = str(entry["type"]), entry.get("parent")
        if not parent:
            return own
        if parent in self._by_name:
            return f"{self._types(self._by_name[parent])}${own}"
        return f"{key_of(self.document['nameTable'][parent])[0]}${own}"


def _logical(entry: Entry) -> str:
    """Return the name in the program; the import file's `name` is unique."""
    return str(entry.get("logicalName") or entry["name"])


def preview(stack: PulumiStack) -> Plan:
    """Preview a stack.

    Raises:
        ScriptError: the program fails, or Pulumi does
    """
    done = stack.preview()
    try:
        found = parse(done.command.stdout, stack=stack.name)
    except PreviewInputError:
        raise stack.error("Previewing", done.command) from None
    if found.failed or done.command.code:
        raise stack.error("Previewing", done.command, *(problem.text for problem in found.errors))
    return Plan(found, read(done.import_file))


def read(document: str) -> dict[str, Any]:
    """Read an import file; there is none if nothing would be created."""
    found: dict[str, Any] = json.loads(document) if document.strip() else {}
    return found
