"""The rules of a profile on one value alone."""

from collections.abc import Iterator
from typing import Any

from emulator.services.healthcare.fhir.profiles.bindings import codes_of, has_code
from emulator.services.healthcare.fhir.profiles.comparison import has_pattern, is_before, is_same
from emulator.services.healthcare.fhir.profiles.elements import ElementRules
from emulator.services.healthcare.fhir.profiles.value_sets import ValueSets


def value_problems(value: Any, rules: ElementRules, value_sets: ValueSets) -> Iterator[str]:
    """Yield what is wrong with a value; a primitive that has only extensions has none."""
    if value is None:
        return
    if rules.fixed is not None and not is_same(value, rules.fixed):
        yield "the value is not the fixed value"
    if rules.pattern is not None and not has_pattern(value, rules.pattern):
        yield "the value does not have the pattern"
    if rules.least is not None and is_before(value, rules.least):
        yield "the value is less than the minimum"
    if rules.largest is not None and is_before(rules.largest, value):
        yield "the value is more than the maximum"
    if rules.max_length is not None and isinstance(value, str) and len(value) > rules.max_length:
        yield f"the value has {len(value)} characters, want at most {rules.max_length}"
    has_codes = bool(rules.binding) and codes_of(value) is not None
    if has_codes and not has_code(value_sets, rules.binding, value):
        yield f"code type mismatch: the value has no code of {rules.binding}"
