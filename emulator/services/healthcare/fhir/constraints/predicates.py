"""Predicates of constraints: of the members of an element, from JSON."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from emulator.services.healthcare.fhir import moments

Members = Mapping[str, Any]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


_CHOICES = ("abatement", "age", "born", "detail", "rate", "value")
"""Members whose names in JSON end with their type."""


def has(value: Members, name: str) -> bool:
    """Whether there is a member, of any type if it is a choice."""
    if value.get(name) not in (None, []) or value.get(f"_{name}") not in (None, []):
        return True
    length = len(name)
    return name in _CHOICES and any(
        key.startswith(name) and key[length : length + 1].isupper() for key in value
    )


def any_of(*names: str) -> Callable[[Members], bool]:
    """Return whether one of some members is there."""
    return lambda value: any(has(value, name) for name in names)


def not_both(one: str, other: str) -> Callable[[Members], bool]:
    """Return whether one of two members is missing."""
    return lambda value: not (has(value, one) and has(value, other))


def one_of(one: str, other: str) -> Callable[[Members], bool]:
    """Return whether exactly one of two members is there."""
    return lambda value: has(value, one) != has(value, other)


def needs(one: str, other: str) -> Callable[[Members], bool]:
    """Return whether a member is there if another one is."""
    return lambda value: not has(value, one) or has(value, other)


def items(value: Members, name: str) -> Sequence[Any]:
    """Return the items of a member; none if it is not a list, or the value not an object."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def is_coded(value: Members, name: str, system: str, *codes: str) -> bool:
    """Whether a CodeableConcept has one of some codes of a system of HL7's terminology."""
    concept = value.get(name)
    codings = items(concept, "coding") if isinstance(concept, dict) else ()
    return any(
        one.get("system") == f"{TERMINOLOGY}/{system}" and one.get("code") in codes
        for one in codings
    )


def is_ordered(value: Members) -> bool:
    """Whether a period does not end before it starts."""
    start, end = (moments.parse(str(value.get(name, ""))) for name in ("start", "end"))
    return start is None or end is None or start[0] < end[1]


def is_range(value: Members) -> bool:
    """Whether the low end of a range, in the same unit, is not above the high one."""
    low, high = value.get("low") or {}, value.get("high") or {}
    if low.get("code") != high.get("code") or low.get("unit") != high.get("unit"):
        return True
    first, last = low.get("value"), high.get("value")
    if not isinstance(first, int | Decimal) or not isinstance(last, int | Decimal):
        return True
    return first <= last


def is_not_negative(name: str) -> Callable[[Members], bool]:
    """Return whether a number is 0 or more."""

    def holds(value: Members) -> bool:
        found = value.get(name)
        return not isinstance(found, int | Decimal) or found >= 0

    return holds


def has_no_component_of_its_code(value: Members) -> bool:
    """Whether an observation with a value has no component with its own code."""

    def codings(of: Members) -> set[tuple[Any, Any]]:
        return {
            (one.get("system"), one.get("code")) for one in items(of.get("code") or {}, "coding")
        }

    own = codings(value)
    return not has(value, "value") or not any(
        own & codings(component) for component in items(value, "component")
    )


def none_inside(name: str, *path: str) -> Callable[[Members], bool]:
    """Return whether no item of a list has a value at a path."""

    def found(value: Any, steps: Sequence[str]) -> bool:
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value not in (None, [])

    return lambda value: not any(found(item, path) for item in items(value, name))


def no_home(name: str) -> Callable[[Members], bool]:
    """Return whether no address or telephone number is one of a home."""
    return lambda value: not any(one.get("use") == "home" for one in items(value, name))
