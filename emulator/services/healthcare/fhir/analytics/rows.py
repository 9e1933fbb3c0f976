"""Rows of resources.

Choices nest (`value.quantity`), references have a column for the type of their target
(`subject.patientId`), ids of elements are left out, and recursion ends at a depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics import extensions
from emulator.services.healthcare.fhir.analytics.extensions import Row
from emulator.services.healthcare.fhir.definitions import (
    Element,
    resource_types,
    type_definition,
)
from emulator.services.healthcare.fhir.references import Form, of_element

DEFAULT_DEPTH = 2
EXTENSION, CONTAINED, MODIFIER = "extension", "contained", "modifierExtension"
ANALYTICS, ANALYTICS_V2, LOSSLESS = "ANALYTICS", "ANALYTICS_V2", "LOSSLESS"

Depths = tuple[tuple[str, int], ...]
"""How often elements of each name are around a value."""


@dataclass(frozen=True, slots=True)
class RowFormat:
    """The form of rows.

    Attributes:
        is_v2: whether the schema is ANALYTICS_V2
        depth: how often an element may be inside one of the same name
    """

    is_v2: bool = True
    depth: int = DEFAULT_DEPTH

    def row(self, resource: Mapping[str, Any]) -> Row:
        """Return the row of a resource.

        Raises:
            ExtensionError: its extensions have no columns
        """
        return self._object(resource, str(resource["resourceType"]), (), is_resource=True)

    def _object(
        self,
        value: Mapping[str, Any],
        type_: str,
        depths: Depths,
        *,
        is_resource: bool = False,
    ) -> Row:
        row: Row = {}
        columns = _columns(type_, depths, self.depth, is_resource)
        for key, member in value.items():
            column = columns.get(key)
            if column is None:
                continue
            element, below = column
            if element.is_list:
                found: Any = [each for each in member if each is not None]
                if not element.is_primitive:
                    found = [self._complex(each, element, below) for each in found]
            else:
                found = member if element.is_primitive else self._complex(member, element, below)
            if element.choice:
                row[element.name] = {element.choice: found}
            else:
                row[key] = found
        if CONTAINED in value and self.is_v2:
            row[CONTAINED] = [json_text.dump(self.row(each)).decode() for each in value[CONTAINED]]
        if found := value.get(EXTENSION):
            self._extend(row, found, depths)
        return row

    def _complex(self, value: Any, element: Element, depths: Depths) -> Any:
        if element.type == "Reference":
            return self._reference(value, depths)
        if not isinstance(value, Mapping) or element.type == "Resource":
            return None
        return self._object(value, element.type, depths)

    def _reference(self, value: dict[str, Any], depths: Depths) -> Row:
        row = self._object(value, "Reference", depths)
        target = of_element(value, "")
        if target.form is Form.LOCAL and target.type in resource_types():
            del row["reference"]
            row[id_column(target.type)] = target.id
        return row

    def _extend(self, row: Row, found: list[Any], depths: Depths) -> None:
        def convert(extension: Mapping[str, Any]) -> Row:
            shown = {key: each for key, each in extension.items() if key.startswith("value")}
            converted = self._object(shown, "Extension", depths)
            typed: Row = converted.get("value", {})
            return typed

        add = extensions.repeated if self.is_v2 else extensions.single
        add(row, found, convert)


@lru_cache(maxsize=10_000)
def _columns(
    type_: str, depths: Depths, limit: int, is_resource: bool
) -> dict[str, tuple[Element, Depths]]:
    """Return the elements of a type that have columns of their own, with the depths inside them."""
    found = {}
    for key, element in type_definition(type_).elements.items():
        if key in (EXTENSION, CONTAINED, MODIFIER) or (key == "id" and not is_resource):
            continue
        below = deeper(depths, names_of(element), limit)
        if below is not None:
            found[key] = (element, below)
    return found


def names_of(element: Element) -> tuple[str, ...]:
    """Return the names that an element adds to the depths inside it."""
    names = (element.name, element.choice) if element.choice else (element.key,)
    return names[:-1] if element.is_primitive else names


@lru_cache(maxsize=10_000)
def deeper(depths: Depths, names: tuple[str, ...], limit: int) -> Depths | None:
    """Return the depths inside elements of these names; None if one is too deep."""
    found = dict(depths)
    for name in names:
        found[name] = found.get(name, 0) + 1
    return None if any(found[name] > limit for name in names) else tuple(found.items())


def id_column(type_: str) -> str:
    """Return the column of a reference to a type: `patientId`."""
    return f"{type_[:1].lower()}{type_[1:]}Id"
