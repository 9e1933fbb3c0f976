"""The search parameters of each resource type, with their paths compiled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from emulator.services.healthcare.fhir.definitions import (
    ANY_RESOURCE,
    Element,
    resource_types,
    table,
    type_definition,
)

UNSUPPORTED = {
    "Resource": {"_query"},
    "Group": {"characteristic-value"},
    "Location": {"near", "contains"},
    "DocumentReference": {"relationship"},
    "Bundle": {"composition", "message"},
    "Observation": {"component-value-canonical", "value-canonical"},
    "QuestionnaireResponse": {"item-subject"},
    "Composition": {"section-text"},
}
"""Parameters that the API does not serve (documented)."""

_SUBTYPES = {
    "Quantity": {"Age", "Count", "Distance", "Duration"},
    "string": {"code", "id", "markdown"},
    "uri": {"canonical", "oid", "url", "uuid"},
}
"""Types that `as` takes as the type that they specialize (FHIRPath, "Types and Reflection")."""

Node = tuple[Any, str]
"""A value of JSON, and the name of its type; of a code with a list, the system of its codes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path.

    Attributes:
        elements: the members of JSON that it follows
        child: the name and value that a child of the element must have; empty for any
        index: of the one item that it takes; nothing for all
    """

    elements: Sequence[Element]
    child: tuple[str, str] | None
    index: int | None


@dataclass(frozen=True, slots=True)
class Path:
    """A path to values.

    Attributes:
        steps: from the resource, or from the element of a composite
        target: the resource type of the references that it takes; empty for any
        is_existence: whether it yields whether there is a value but `false`
        from_root: whether a component's path begins at the resource
    """

    steps: Sequence[Step]
    target: str = ""
    is_existence: bool = False
    from_root: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a composite parameter.

    Attributes:
        type: of the search parameter
        paths: from the element of the composite
    """

    type: str
    paths: Sequence[Path]


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter of one resource type.

    Attributes:
        code: its name in a query
        type: `token`, `string`, `date`, `number`, `quantity`, `uri`, `reference` or `composite`
        paths: to its values
        targets: resource types that a reference may name
        components: of a composite
    """

    code: str
    type: str
    paths: Sequence[Path]
    targets: Sequence[str]
    components: Sequence[Component]


@cache
def parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a resource type by code; an empty name has those of all types."""
    texts: dict[str, str] = {}
    for base in (ANY_RESOURCE, *(["DomainResource", resource_type] if resource_type else [])):
        unsupported = UNSUPPORTED.get(base, set())
        found = table()["search"].get(base, {})
        texts |= {code: text for code, text in found.items() if code not in unsupported}
    return {
        code: compiled(resource_type or ANY_RESOURCE, code, text) for code, text in texts.items()
    }


@cache
def parameters_of_member(resource_type: str, key: str) -> Sequence[SearchParameter]:
    """Return the parameters of a resource type whose paths begin with a member of its JSON."""
    return [
        parameter
        for parameter in parameters(resource_type).values()
        if any(key == element.key for path in parameter.paths for element in _first(path))
    ]


@cache
def parameters_of_all(resource_type: str) -> Sequence[SearchParameter]:
    """Return the parameters of a resource type that have a value in every resource."""
    return [
        parameter
        for parameter in parameters(resource_type).values()
        if not all(_first(path) for path in parameter.paths)
        or not parameter.paths
        or any(path.is_existence for path in parameter.paths)
    ]


def _first(path: Path) -> Sequence[Element]:
    """Return the members of the first step, if the path can't yield a value without them."""
    return path.steps[0].elements if path.steps and not path.is_existence else ()


@cache
def compiled(resource_type: str, code: str, text: str) -> SearchParameter:
    """Return the parameter of a text of the definitions (`definitions.search_expressions`)."""
    param_type, path_text, *words = text.split(" ")
    paths = [_path(resource_type, one) for one in path_text.split("|") if one]
    targets = next((word[1:] for word in words if word[0] == "@"), "")
    components = [word[1:].partition(":") for word in words if word[0] == "$"]
    inner = _type_at(resource_type, path_text) if components else ""
    return SearchParameter(
        code,
        param_type,
        paths,
        sorted(resource_types()) if targets == "*" else [*filter(None, targets.split(","))],
        [
            Component(of, [_component_path(resource_type, inner, one) for one in text.split("|")])
            for of, _, text in components
        ],
    )


def _component_path(resource_type: str, inner: str, text: str) -> Path:
    if text.startswith("^"):
        path = _path(resource_type, text[1:])
        return Path(path.steps, path.target, path.is_existence, from_root=True)
    return _path(inner, text)


def _path(type_name: str, text: str) -> Path:
    text, _, target = text.partition(">")
    return Path([*_steps(type_name, text.rstrip("?"))], target, text.endswith("?"))


def _type_at(type_name: str, text: str) -> str:
    """Return the type of the element that a path without choices leads to."""
    for step in _steps(type_name, text):
        type_name = step.elements[0].type
    return type_name


def _steps(type_name: str, text: str) -> Iterator[Step]:
    if not text:
        return  # a composite of the resource itself
    types = {type_name}
    for word in text.split("."):
        name, _, condition = word.rstrip("]").partition("[")
        name, _, wanted = name.partition(":")
        elements = [
            element
            for one in sorted(types)
            for element in type_definition(one).elements.values()
            if element.name == name and _is_of_type(element, wanted)
        ]
        child, is_child, value = condition.partition("=")
        yield Step(
            elements,
            (child, unquote(value)) if is_child else None,
            int(condition) if condition.isdigit() else None,
        )
        types = {element.type for element in elements if not element.is_primitive}


def _is_of_type(element: Element, wanted: str) -> bool:
    names = {element.type, element.choice}
    return (
        not wanted
        or bool(names & {wanted, wanted[0].lower() + wanted[1:]})
        or (element.type in _SUBTYPES.get(wanted, ()))
    )


def nodes(resource: Any, path: Path, start: str = "") -> Iterator[Node]:
    """Yield the values at a path.

    Args:
        resource: from JSON
        path: from it
        start: the name of its type, where the path may have no step
    """
    found: list[Node] = [(resource, start)]
    for step in path.steps:
        found = [*_follow(found, step)]
    yield from found


def _follow(found: list[Node], step: Step) -> Iterator[Node]:
    systems: Mapping[str, str] = table()["systems"]
    for value, _ in found:
        if not isinstance(value, dict):
            continue
        for element in step.elements:
            member = value.get(element.key)
            if member is None:
                continue
            items = member if isinstance(member, list) else [member]
            if step.index is not None:
                items = items[step.index : step.index + 1]
            for item in items:
                if item is not None and (step.child is None or _has_child(item, *step.child)):
                    yield item, systems.get(element.code_list, element.type)


def _has_child(item: Any, name: str, value: str) -> bool:
    return isinstance(item, dict) and item.get(name) == value
