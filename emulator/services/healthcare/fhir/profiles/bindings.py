"""Codes of values, for bindings to value sets."""

from collections.abc import Mapping
from typing import Any

from emulator.services.healthcare.fhir.profiles.value_sets import ValueSets


def has_code(value_sets: ValueSets, url: str, value: Any) -> bool:
    """Whether a code, Coding, Quantity or CodeableConcept has a code of a value set."""
    return any(value_sets.has(url, system, code) for system, code in codes_of(value) or ())


def codes_of(value: Any) -> list[tuple[str, str]] | None:
    """Return the codes of a value with their systems; None for a value that needs none."""
    if isinstance(value, str):
        return [("", value)]
    if not isinstance(value, Mapping):
        return None
    if "code" in value:
        # A code without its system is of no system that a value set has.
        return [(str(value.get("system") or "none"), str(value["code"]))]
    found = (codes_of(one) for one in value.get("coding", ()))
    return [code for codes in found for code in codes or ()]
