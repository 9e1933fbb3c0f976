"""The walk over a resource by the rules of a profile."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.services.healthcare.fhir.outcome import Issue
from emulator.services.healthcare.fhir.profiles import invariants, slicing
from emulator.services.healthcare.fhir.profiles.elements import ElementRules, Profile, TypeRule
from emulator.services.healthcare.fhir.profiles.items import Item, items_of
from emulator.services.healthcare.fhir.profiles.targets import Targets
from emulator.services.healthcare.fhir.profiles.value_rules import value_problems

CheckBy = Callable[[Item, str], list[Issue] | None]
"""Returns what is wrong with a value by the profile of a URL; None if the store lacks that."""
_SLICE, _INDEX = re.compile(r":[^.]*"), re.compile(r"\[\d+\]")
_ABSTRACT = {"", "Resource", "DomainResource", "Element", "BackboneElement"}


@dataclass(slots=True)
class Walk:
    """A walk by one profile.

    Attributes:
        profile: whose rules are checked
        targets: finds the resources that references name
        check_by: checks a value by another profile
        report: makes an issue of a problem and a path
        has_constraints: whether FHIRPath constraints are checked
        issues: found so far
    """

    profile: Profile
    targets: Targets
    check_by: CheckBy
    report: Callable[[str, str], Issue]
    has_constraints: bool
    issues: list[Issue] = field(default_factory=list)

    def element(self, item: Item, rules: ElementRules) -> None:
        """Check a value and what is inside it."""
        with self.targets.inside(item.value):
            for problem in value_problems(item.value, rules, self.targets.library.value_sets):
                self._wrong(problem, item.path)
            self._check_type(item, rules)
            if self.has_constraints and item.value is not None:
                self._check_invariants(item, rules)
            children = rules.children or self._content(rules.same_as)
            for name, child in children.items():
                if name != "value" or isinstance(item.value, Mapping):
                    self._member(item.parent, child, item.path)

    def _content(self, id_: str) -> Mapping[str, ElementRules]:
        """Return the children of the element that a content reference names."""
        rules = self.profile.root
        for name in id_.split(".")[1:]:
            found = rules.children.get(name)
            if found is None:
                return {}
            rules = found
        return rules.children if id_ else {}

    def _member(self, parent: Mapping[str, Any], rules: ElementRules, path: str) -> None:
        items = items_of(parent, rules.name, path)
        self._count(len(items), rules, path)
        for item in items:
            self.element(item, rules)
        if rules.slices and rules.slicing:
            self._slices(items, rules, path)

    def _slices(self, items: Sequence[Item], rules: ElementRules, path: str) -> None:
        assert rules.slicing is not None
        sorted_ = slicing.sort(items, rules, self.targets, self.check_by)
        for slice_ in rules.slices:
            found = sorted_.by_slice[slice_.slice_name]
            if slice_.slice_name not in sorted_.undecided:
                self._count(len(found), slice_, path)
            for item in found:
                self.element(item, slice_)
            if slice_.slices and slice_.slicing:
                self._slices(found, slice_, path)
        for item in sorted_.outside:
            self._wrong("the value is in no slice, and the slicing is closed", item.path)
        for item in sorted_.misplaced:
            self._wrong("the value is not in the order of the slices", item.path)

    def _count(self, count: int, rules: ElementRules, path: str) -> None:
        name = rules.name.removesuffix("[x]")
        if rules.slice_name:
            name = f"{name}:{rules.slice_name}"
        if count < rules.minimum:
            few = f'field "{name}" has {count} values, want at least {rules.minimum}'
            self._wrong(f'missing required field "{name}"' if count == 0 else few, path)
        elif rules.maximum is not None and count > rules.maximum:
            many = f'field "{name}" has {count} values, want at most {rules.maximum}'
            self._wrong(f'field "{name}" is not allowed' if rules.maximum == 0 else many, path)

    def _check_type(self, item: Item, rules: ElementRules) -> None:
        codes = {one.code for one in rules.types}
        if item.type and codes and not codes & {item.type, *_ABSTRACT}:
            wanted = ", ".join(sorted(codes))
            self._wrong(f"the type {item.type} is not allowed, want {wanted}", item.path)
            return
        if not isinstance(item.value, Mapping):
            return
        types = [
            one
            for one in rules.types
            if not item.type or one.code == item.type or one.code in _ABSTRACT
        ]
        self._check_profiles(item, [url for one in types for url in one.profiles])
        if "reference" in item.value or "type" in item.value:
            self._check_target(item, types)

    def _check_profiles(self, item: Item, urls: Sequence[str]) -> None:
        """Check a value by the profiles of its type, of which one must hold."""
        results = [self.check_by(item, url) for url in urls]
        if any(not one for one in results):
            return  # conforms, or may conform to one that the store lacks
        if len(results) == 1:
            self.issues.extend(results[0] or ())
        elif results:
            self._wrong(f"the value conforms to none of {', '.join(urls)}", item.path)

    def _check_target(self, item: Item, types: Sequence[TypeRule]) -> None:
        """Check what a reference names (documented: `type` is a rule that counts)."""
        urls = [url for one in types if one.code == "Reference" for url in one.targets]
        target = self.targets.of(item) if urls else None
        if target is None or not target.type:
            return
        wanted = [self.targets.type_of(url) for url in urls]
        if "" in wanted or "Resource" in wanted:
            return
        if target.type not in wanted:
            names = ", ".join(dict.fromkeys(wanted))
            problem = f"invalid reference to a {target.type} resource, want {names}"
            self._wrong(problem, item.path)
        elif target.value is not None:
            fitting = [url for url, type_ in zip(urls, wanted, strict=True) if type_ == target.type]
            results = [self.check_by(target, url) for url in fitting]
            if all(results):
                names = ", ".join(fitting)
                self._wrong(
                    f"the resource that it refers to conforms to none of {names}", item.path
                )

    def _check_invariants(self, item: Item, rules: ElementRules) -> None:
        codes = {one.code for one in rules.types} - _ABSTRACT
        of_path = _SLICE.sub("", rules.id)
        type_ = item.type or (codes.pop() if len(codes) == 1 else of_path)
        for one in rules.invariants:
            if not invariants.holds(
                one.expression, item.value, type_, self.targets.plain_container()
            ):
                at = _INDEX.sub("", item.path)
                self._wrong(f'fhirpath-constraint-violation-{at}: "{one.expression}"', item.path)

    def _wrong(self, problem: str, path: str) -> None:
        issue = self.report(problem, path)
        if issue not in self.issues:  # an element and its slice may have the same rule
            self.issues.append(issue)
