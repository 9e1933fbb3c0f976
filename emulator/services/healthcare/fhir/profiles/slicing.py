"""The values of an element by slice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.services.healthcare.fhir.profiles.elements import ElementRules
from emulator.services.healthcare.fhir.profiles.items import Item
from emulator.services.healthcare.fhir.profiles.slices import Matcher
from emulator.services.healthcare.fhir.profiles.targets import Targets


@dataclass(slots=True)
class Sorted:
    """The values of an element by slice.

    Attributes:
        by_slice: the values by the name of their slice
        undecided: the names of the slices for which the profile does not decide
        outside: values in no slice, where the slicing is closed
        misplaced: values that break the order
    """

    by_slice: dict[str, list[Item]]
    undecided: set[str] = field(default_factory=set)
    outside: list[Item] = field(default_factory=list)
    misplaced: list[Item] = field(default_factory=list)


def sort(
    items: Sequence[Item],
    rules: ElementRules,
    targets: Targets,
    check_by: Callable[[Item, str], Any],
) -> Sorted:
    """Return the values of an element by slice.

    Args:
        items: the values
        rules: of the element, with a slicing
        targets: finds the resources that references name
        check_by: returns what is wrong with a value by a profile
    """
    slicing = rules.slicing
    assert slicing is not None
    matcher = Matcher(targets, lambda item, url: not check_by(item, url))
    result = Sorted({one.slice_name: [] for one in rules.slices})
    last = -1
    for item in items:
        matches = [matcher.is_in(item, one, slicing.discriminators) for one in rules.slices]
        pairs = [*zip(rules.slices, matches, strict=True)]
        result.undecided |= {one.slice_name for one, match in pairs if match is None}
        if True in matches:
            position = matches.index(True)
            result.by_slice[rules.slices[position].slice_name].append(item)
            if slicing.is_ordered and position < last:
                result.misplaced.append(item)
            if slicing.rules == "openAtEnd" and last == len(rules.slices):
                result.misplaced.append(item)
            last = max(last, position)
        elif None not in matches:
            if slicing.rules == "closed":
                result.outside.append(item)
            if slicing.rules == "openAtEnd":
                last = len(rules.slices)
    return result
