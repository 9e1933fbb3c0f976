"""The values of an element in a resource."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulator.services.healthcare.fhir.definitions import PRIMITIVES, table


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an element.

    Attributes:
        value: from JSON; None for a primitive that has only extensions
        members: id and extensions of a primitive
        type: the name of its type, where JSON shows it
        path: in the resource
    """

    value: Any
    members: Mapping[str, Any]
    type: str
    path: str

    @property
    def parent(self) -> Mapping[str, Any]:
        """The object that holds the children."""
        return self.value if isinstance(self.value, Mapping) else self.members


def items_of(parent: Mapping[str, Any], name: str, path: str) -> list[Item]:
    """Return the values of an element.

    Args:
        parent: the object that holds them
        name: of the element, such as `name` or `value[x]`
        path: of the parent
    """
    if not name.endswith("[x]"):
        return [*_of_key(parent, name, "", f"{path}.{name}")]
    plain = name.removesuffix("[x]")
    return [
        item
        for key, type_ in _choices(parent, plain).items()
        for item in _of_key(parent, key, type_, f"{path}.{plain}.{type_[0].lower()}{type_[1:]}")
    ]


def type_of(value: Any) -> str:
    """Return the type of a resource; empty for another value."""
    return str(value.get("resourceType", "")) if isinstance(value, Mapping) else ""


def _of_key(parent: Mapping[str, Any], key: str, type_: str, path: str) -> Iterator[Item]:
    value, members = parent.get(key), parent.get(f"_{key}")
    if not isinstance(value, list) and not isinstance(members, list):
        if value is not None or members:
            yield Item(value, members or {}, type_ or type_of(value), path)
        return
    values, others = value or [], members or []
    for index in range(max(len(values), len(others))):
        one = values[index] if index < len(values) else None
        other = others[index] if index < len(others) else None
        if one is not None or other:
            yield Item(one, other or {}, type_ or type_of(one), f"{path}[{index}]")


def _choices(parent: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the keys of a choice with their types."""
    found = {}
    for key in parent:
        plain = key.removeprefix("_")
        type_ = _types_by_suffix().get(plain[len(name) :]) if plain.startswith(name) else None
        if type_ is not None:
            found[plain] = type_
    return found


@cache
def _types_by_suffix() -> Mapping[str, str]:
    data_types = {name for name in table()["types"] if "." not in name}
    names = (data_types | PRIMITIVES) - set(table()["resources"])
    return {name[0].upper() + name[1:]: name for name in names}
