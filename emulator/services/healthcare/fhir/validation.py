"""Validation of a resource before it is stored.

One walk over a resource by its definition finds all problems. It works in the two stages of
google/fhir's Go code, which is the API's parser and validator (observed: the texts of errors are
the same): a resource that can't be read is not checked further. Inferred (conformance:
fhir-validation-text): the API reports each as `unparseable_resource`, with the path apart.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from emulator.services.healthcare.fhir import primitives
from emulator.services.healthcare.fhir.constraints import CONSTRAINTS, DOMAIN_RESOURCE
from emulator.services.healthcare.fhir.definitions import (
    ANY_RESOURCE,
    Element,
    TypeDefinition,
    resource_types,
    type_definition,
)
from emulator.services.healthcare.fhir.outcome import Issue, error

UNPARSEABLE, MISMATCH = "unparseable_resource", "resource_mismatch"

_INDEX = re.compile(r"\[\d+\]")


@cache
def _members_of(type_name: str) -> TypeDefinition:
    """Return the members of `_birthDate` and its like, by the type of the primitive."""
    extended = type_definition("Element")
    if type_name == "xhtml":
        return TypeDefinition("xhtml", {"id": extended.elements["id"]}, {})
    return extended


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """The checks of a store: its `validationConfig`.

    Attributes:
        required_fields: whether a required element must be there
        reference_types: whether references must name a resource of a type that the element allows
        constraints: whether the constraints of R4 must hold
    """

    required_fields: bool = True
    reference_types: bool = True
    constraints: bool = True

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ValidationSettings":
        """Return the settings of the API's message ValidationConfig."""
        return cls(
            required_fields=not config.get("disableRequiredFieldValidation"),
            reference_types=not config.get("disableReferenceTypeValidation"),
            constraints=not config.get("disableFhirpathValidation"),
        )


def check(
    resource: Mapping[str, Any], resource_type: str, settings: ValidationSettings
) -> list[Issue]:
    """Return what is wrong with a resource; an empty list if it may be stored.

    Args:
        resource: as `json_text.parse` returns it
        resource_type: that the request names; empty where any is allowed
        settings: of the store
    """
    declared = resource.get("resourceType")
    if resource_type and isinstance(declared, str) and declared != resource_type:
        diagnostics = f'resource type "{declared}" does not match the request: "{resource_type}"'
        return [error("structure", MISMATCH, diagnostics)]
    walk = _Walk(settings)
    walk.resource(resource, "", "")
    return walk.unreadable or walk.invalid or walk.violations


@dataclass(slots=True)
class _Walk:
    """A walk over a resource.

    Attributes:
        unreadable: problems of the first stage
        invalid: problems of the second stage
        violations: constraints that do not hold
        in_contained: whether it is inside a contained resource, which has no second stage
    """

    settings: ValidationSettings
    unreadable: list[Issue] = field(default_factory=list)
    invalid: list[Issue] = field(default_factory=list)
    violations: list[Issue] = field(default_factory=list)
    in_contained: bool = False

    def resource(self, value: Mapping[str, Any], path: str, typed_path: str) -> None:
        """Walk over a resource, at the path of the first stage and that of the second."""
        if "resourceType" not in value:
            self._unreadable('missing required field "resourceType"', path)
            return
        declared = value["resourceType"]
        if not isinstance(declared, str):
            self._unreadable(f"invalid resource type: {primitives.quote(declared)}", path)
            return
        inside = f"{path}.{declared}" if path else declared
        if declared not in resource_types():
            self._unreadable(f"unknown resource type: {primitives.quote_go(declared)}", inside)
            return
        below = f"{typed_path}.{declared[0].lower()}{declared[1:]}" if path else declared
        self._object(value, type_definition(declared), inside, below)

    def _object(
        self, value: Mapping[str, Any], definition: TypeDefinition, path: str, typed_path: str
    ) -> None:
        chosen: dict[str, str] = {}
        elements = definition.elements
        for key, member in value.items():
            element = elements.get(key)
            if element is None:
                self._other_member(key, member, definition, path, typed_path)
                continue
            if element.choice and chosen.setdefault(element.name, element.choice) != element.choice:
                problem = f"cannot accept multiple values for {_snake_case(element.name)} field"
                self._unreadable(f"{problem}: {primitives.quote_go(key)}", path)
                continue
            if member is not None:
                self._member(member, element, f"{path}.{key}", _typed(typed_path, element))
        if self.in_contained:
            return
        if self.settings.required_fields:
            for name, keys in definition.required.items():
                if not any(_is_present(value, key) for key in keys):
                    self._invalid(f'missing required field "{name}"', typed_path)
        if self.settings.constraints:
            self._check_constraints(value, definition.name, typed_path)

    def _check_constraints(self, value: Mapping[str, Any], type_name: str, path: str) -> None:
        broken = [one for one in CONSTRAINTS.get(type_name, ()) if not one.holds(value)]
        if "contained" in value:
            broken += [one for one in DOMAIN_RESOURCE if not one.holds(value)]
        for constraint in broken:
            # Observed: these words, in the API's errors and in google/fhir's C++ code.
            at = _INDEX.sub("", path)
            problem = f'fhirpath-constraint-violation-{at}: "{constraint.expression}"'
            self.violations.append(error("structure", UNPARSEABLE, problem, path))

    def _other_member(
        self,
        key: str,
        member: Any,
        definition: TypeDefinition,
        path: str,
        typed_path: str,
    ) -> None:
        """Check a member that is not an element: the type, or id and extensions of a primitive."""
        element = definition.elements.get(key[1:]) if key.startswith("_") else None
        if element is not None and element.is_primitive:
            self._primitive_members(member, element, f"{path}.{key}", _typed(typed_path, element))
        elif key != "resourceType" or definition.name not in resource_types():
            self._unreadable(f"unknown field: {primitives.quote_go(key)}", path)

    def _primitive_members(self, member: Any, element: Element, path: str, typed_path: str) -> None:
        definition = _members_of(element.type)
        items = member if element.is_list else [member]
        if not isinstance(items, list):
            self._unreadable("expected array", path)
            return
        for index, item in enumerate(items):
            at = f"[{index}]" if element.is_list else ""
            if isinstance(item, dict):
                self._object(item, definition, path + at, typed_path + at)
            elif item is not None:
                text = primitives.quote(item)[: primitives.MAX_QUOTED]
                self._unreadable(f"invalid JSON: {text}", path + at)

    def _member(self, member: Any, element: Element, path: str, typed_path: str) -> None:
        if not element.is_list:
            self._value(member, element, path, typed_path)
        elif not isinstance(member, list):
            self._unreadable("expected array", path)
        else:
            for index, item in enumerate(member):
                self._value(item, element, f"{path}[{index}]", f"{typed_path}[{index}]")

    def _value(self, value: Any, element: Element, path: str, typed_path: str) -> None:
        if element.is_primitive:
            self._primitive(value, element, path, typed_path)
        elif not isinstance(value, dict):
            if value is not None:
                text = primitives.quote(value)[: primitives.MAX_QUOTED]
                self._unreadable(f"invalid JSON: {text}", path)
        elif element.type == ANY_RESOURCE:
            before, self.in_contained = self.in_contained, self.in_contained or _is_contained(path)
            self.resource(value, path, typed_path)
            self.in_contained = before
        else:
            self._object(value, type_definition(element.type), path, typed_path)
            if element.targets and self.settings.reference_types and not self.in_contained:
                self._reference(value, element, typed_path)

    def _primitive(self, value: Any, element: Element, path: str, typed_path: str) -> None:
        if problem := primitives.parse_error(element.type, value):
            self._unreadable(problem, path)
        elif element.codes is not None:
            if value and value not in element.codes:
                problem = f"{primitives.quote_go(value)} is not a {element.code_list}"
                self._unreadable(f"code type mismatch: {problem}", path)
        elif self.in_contained or not primitives.has_format(element.type):
            return
        elif problem := primitives.format_error(element.type, value):
            self._invalid(problem, typed_path)

    def _reference(self, value: Mapping[str, Any], element: Element, path: str) -> None:
        parts = str(value.get("reference") or "").split("/")
        is_local = len(parts) == 2 or (len(parts) == 4 and parts[2] == "_history")
        named = parts[0]
        if is_local and named in resource_types() and named not in element.targets:
            wanted = ", ".join(element.targets)
            self._invalid(f"invalid reference to a {named} resource, want {wanted}", path)

    def _unreadable(self, problem: str, path: str) -> None:
        self.unreadable.append(error("structure", UNPARSEABLE, problem, *([path] if path else [])))

    def _invalid(self, problem: str, path: str) -> None:
        self.invalid.append(error("structure", UNPARSEABLE, problem, path))


def _typed(path: str, element: Element) -> str:
    """Return the path of the second stage, which has the type of a choice as a step."""
    return f"{path}.{element.name}.{element.choice}" if element.choice else f"{path}.{element.key}"


def _is_present(value: Mapping[str, Any], key: str) -> bool:
    return value.get(key) not in (None, []) or value.get(f"_{key}") not in (None, [])


def _is_contained(path: str) -> bool:
    return path.rpartition(".")[2].startswith("contained[")


def _snake_case(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
