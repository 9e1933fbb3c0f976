"""The difference between what the cloud has and what the program wants, property by property."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from engine.standin.properties import Properties, Property
from engine.standin.values import Values, is_unknown, is_zero, without_internal

Action = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class Change:
    """One property that differs.

    Attributes:
        path: as Pulumi writes it, such as `labels.env` or `streamConfigs[0].bigqueryDestination`.
        action: what happens to it.
        replace: whether it takes a new resource.
    """

    path: str
    action: Action
    replace: bool

    @property
    def top(self) -> str:
        """The property of the resource that the path begins with."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


@dataclass(frozen=True)
class Difference:
    """The answer to "what would an update do?"."""

    changes: list[Change]
    delete_first: bool

    @property
    def replaces(self) -> bool:
        """Whether it takes a new resource."""
        return any(change.replace for change in self.changes)


def compare(properties: Properties, state: Values, wanted: Values) -> list[Change]:
    """Compare the resource's state with the inputs wanted, as Terraform's SDK does.

    What the program leaves out is a difference only where the cloud would not fill it itself.
    "Not set" and the type's zero value are the same.

    Args:
        properties: of the resource type.
        state: outputs of the last read.
        wanted: checked inputs, with the settings of the provider filled in.
    """
    state, wanted = without_internal(state), without_internal(wanted)
    changes: list[Change] = []
    for name, prop in properties.items():
        if not prop.output:
            changes += _compare(prop, state.get(name), wanted.get(name), name, prop.replace)
    return changes


def _compare(prop: Property, old: Any, new: Any, path: str, replace: bool) -> Iterator[Change]:
    if _means_the_same(prop, old, new):
        return
    if is_unknown(new):
        yield Change(path, "add" if is_zero(old) else "update", replace)
    elif is_zero(old):
        yield Change(path, "add", replace)
    elif new is None:
        yield Change(path, "delete", replace)
    else:
        yield from _compare_set(prop, old, new, path, replace)


def _means_the_same(prop: Property, old: Any, new: Any) -> bool:
    if prop.ignored_keys and not is_unknown(new):
        old, new = _without_keys(old, prop.ignored_keys), _without_keys(new, prop.ignored_keys)
    if new is None and prop.computed:
        return True
    if is_zero(old) and is_zero(new):
        return True
    if prop.implied is not None and (old or prop.implied) == (new or prop.implied):
        return True
    known = not (is_zero(old) or is_zero(new) or is_unknown(new))
    return known and prop.same is not None and prop.same(old, new)


def _without_keys(entries: Values | None, keys: tuple[str, ...]) -> Values:
    return {key: value for key, value in (entries or {}).items() if key not in keys}


def _compare_set(prop: Property, old: Any, new: Any, path: str, replace: bool) -> Iterator[Change]:
    if prop.type == "object":
        for name, inner in prop.fields.items():
            if inner.output:
                continue
            where = f"{path}.{name}"
            yield from _compare(
                inner, old.get(name), new.get(name), where, replace or inner.replace
            )
    elif prop.type == "map":
        yield from _compare_maps(old, new, path, replace)
    elif prop.type == "list":
        yield from _compare_lists(prop, old, new, path, replace)
    elif old != new:
        yield Change(path, "update", replace)


def _compare_maps(old: Values, new: Values, path: str, replace: bool) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        where = f"{path}.{key}" if re.fullmatch(r"[\w-]+", key) else f'{path}["{key}"]'
        if key not in new:
            yield Change(where, "delete", replace)
        elif key not in old:
            yield Change(where, "add", replace)
        elif old[key] != new[key]:
            yield Change(where, "update", replace)


def _compare_lists(
    prop: Property, old: Any, new: Any, path: str, replace: bool
) -> Iterator[Change]:
    item = Property(type="object" if prop.fields else prop.item, fields=prop.fields)
    if prop.unordered:
        old, new = _unmatched(item, old, new)
    for i in range(max(len(old), len(new))):
        where = f"{path}[{i}]"
        if i >= len(new):
            yield Change(where, "delete", replace)
        elif i >= len(old):
            yield Change(where, "add", replace)
        else:
            yield from _compare(item, old[i], new[i], where, replace)


def _unmatched(item: Property, old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the items that are in one list only, whatever their order."""
    left, added = list(old), []
    for value in new:
        index = next(
            (i for i, v in enumerate(left) if not any(_compare(item, v, value, "", False))), -1
        )
        if index < 0:
            added.append(value)
        else:
            del left[index]
    return left, added
