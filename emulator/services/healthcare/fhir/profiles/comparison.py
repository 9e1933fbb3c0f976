"""Comparison of a value with the fixed value, the pattern or the limits of a profile."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def is_same(value: Any, fixed: Any) -> bool:
    """Whether a value is a fixed one, member by member."""
    if isinstance(fixed, Mapping):
        return (
            isinstance(value, Mapping)
            and value.keys() == fixed.keys()
            and all(is_same(value[key], fixed[key]) for key in fixed)
        )
    if isinstance(fixed, list):
        return (
            isinstance(value, list)
            and len(value) == len(fixed)
            and all(is_same(one, other) for one, other in zip(value, fixed, strict=True))
        )
    return isinstance(value, bool) == isinstance(fixed, bool) and bool(value == fixed)


def has_pattern(value: Any, pattern: Any) -> bool:
    """Whether a value has what a pattern has; the order of lists does not count."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(
            key in value and has_pattern(value[key], pattern[key]) for key in pattern
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(has_pattern(one, wanted) for one in value) for wanted in pattern
        )
    return is_same(value, pattern)


def is_before(value: Any, other: Any) -> bool:
    """Whether a value is less than another one; False for values that can't be compared.

    Dates and times are compared as far as both are precise, and quantities of one unit.
    """
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        has_unit = all(value.get(key) == other.get(key) for key in ("system", "code"))
        return has_unit and is_before(value.get("value"), other.get("value"))
    if isinstance(value, str) and isinstance(other, str):
        length = min(len(value), len(other))
        return value[:length] < other[:length]
    numbers = (int, float, Decimal)
    return isinstance(value, numbers) and isinstance(other, numbers) and value < other
