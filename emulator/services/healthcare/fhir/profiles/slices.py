"""Which slice a value belongs to, by the discriminators of the slicing.

A discriminator that the profile leaves undecided matches neither way: the rules of such a slice are
not checked.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.services.healthcare.fhir.profiles.bindings import has_code
from emulator.services.healthcare.fhir.profiles.comparison import has_pattern, is_same
from emulator.services.healthcare.fhir.profiles.elements import (
    Discriminator,
    ElementRules,
    TypeRule,
)
from emulator.services.healthcare.fhir.profiles.items import Item, items_of
from emulator.services.healthcare.fhir.profiles.targets import Targets

_STEP = re.compile(r"(?P<name>\$?\w+)(?:\((?P<argument>[^)]*)\))?(?:\.|$)")
_ABSTRACT = ("Resource", "DomainResource")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Decides on slices.

    Attributes:
        targets: finds the resources that references name
        conforms: whether a value conforms to the profile with a URL
    """

    targets: Targets
    conforms: Callable[[Item, str], bool]

    def is_in(
        self, item: Item, slice_: ElementRules, discriminators: Sequence[Discriminator]
    ) -> bool | None:
        """Whether a value belongs to a slice; None if that is undecided."""
        results = [self._decide(item, slice_, one) for one in discriminators]
        return False if False in results else None if None in results or not results else True

    def _decide(self, item: Item, slice_: ElementRules, one: Discriminator) -> bool | None:
        steps = [(step["name"], step["argument"]) for step in _STEP.finditer(one.path)]
        values = [*self._values(item, steps)]
        rules = [*self._rules(slice_, steps)]
        match one.type:
            case "exists":
                return _exists(values, rules)
            case "type":
                return _has_type(values, rules)
            case "profile":
                return self._has_profile(values, rules)
        results = [self._has_value(values, rule) for rule in rules]
        if any(result is not None for result in results):
            return all(result is not False for result in results)
        if one.path == "url" and (profiles := [url for t in slice_.types for url in t.profiles]):
            # The URL of an extension is that of its definition, which the store may lack.
            return any(value.value == profiles[0].partition("|")[0] for value in values)
        return None

    def _values(self, item: Item, steps: Sequence[tuple[str, str | None]]) -> Iterator[Item]:
        """Yield the values at the path of a discriminator."""
        if not steps:
            yield item
            return
        (name, argument), rest = steps[0], steps[1:]
        for found in self._step(item, name, argument):
            yield from self._values(found, rest)

    def _step(self, item: Item, name: str, argument: str | None) -> list[Item]:
        if name == "$this":
            return [item]
        if name == "resolve":
            target = self.targets.of(item)
            return [target] if target else []
        if name in ("ofType", "as"):
            return [item] if item.type == argument else []
        found = items_of(item.parent, name, item.path) or items_of(
            item.parent, f"{name}[x]", item.path
        )
        if argument:
            url = argument.strip("'\"")
            return [one for one in found if one.parent.get("url") == url]
        return found

    def _rules(
        self, rules: ElementRules, steps: Sequence[tuple[str, str | None]]
    ) -> Iterator[ElementRules]:
        """Yield the rules at the path of a discriminator."""
        if not steps:
            yield rules
            return
        (name, argument), rest = steps[0], steps[1:]
        for found in self._below(rules, name, argument):
            yield from self._rules(found, rest)

    def _below(self, rules: ElementRules, name: str, argument: str | None) -> list[ElementRules]:
        if name == "$this":
            return [rules]
        if name == "resolve":
            targets = [url for one in rules.types for url in one.targets]
            types = tuple(TypeRule(self.targets.type_of(url), (url,)) for url in targets)
            return [ElementRules(rules.id, name, types=types)] if types else []
        if name in ("ofType", "as"):
            by_type = [s for s in rules.slices if any(t.code == argument for t in s.types)]
            return by_type or [rules]
        for value in (rules.fixed, rules.pattern):
            if isinstance(value, dict) and name in value:
                parts = value[name] if isinstance(value[name], list) else [value[name]]
                return [ElementRules(f"{rules.id}.{name}", name, pattern=part) for part in parts]
        child = self._child(rules, name)
        if child is None or not argument:
            return [child] if child else []
        url = argument.strip("'\"")
        return [one for one in child.slices if _is_extension(one, url)]

    def _child(self, rules: ElementRules, name: str) -> ElementRules | None:
        """Return the rules of a child, of the element or of the profile of its type."""
        library = self.targets.library
        profiles = [library.profile(url) for one in rules.types for url in one.profiles]
        sources = [rules, *(one.root for one in profiles if one)]
        if rules.inherited:
            sources.append(rules.inherited)
        for source in sources:
            child = source.children.get(name) or source.children.get(f"{name}[x]")
            if child and (source is not rules or _says_anything(child)):
                return child
        return rules.children.get(name) or rules.children.get(f"{name}[x]")

    def _has_value(self, values: Sequence[Item], rules: ElementRules) -> bool | None:
        if rules.fixed is not None:
            return any(is_same(one.value, rules.fixed) for one in values)
        if rules.pattern is not None:
            return any(has_pattern(one.value, rules.pattern) for one in values)
        if rules.binding:
            sets = self.targets.library.value_sets
            return any(has_code(sets, rules.binding, one.value) for one in values)
        inner = [(name, child) for name, child in rules.children.items() if _says_anything(child)]
        results = [
            self._has_value([v for one in values for v in self._step(one, name, None)], child)
            for name, child in inner
        ]
        decided = [one for one in results if one is not None]
        return all(decided) if decided else None

    def _has_profile(self, values: Sequence[Item], rules: Sequence[ElementRules]) -> bool | None:
        types = [one for rule in rules for one in rule.types]
        urls = [url for one in types for url in one.profiles]
        if not urls:
            return None
        if any(self.targets.type_of(url) == "" for url in urls):
            return None
        return any(
            self.targets.type_of(url) in (one.type, *_ABSTRACT)
            and (one.value is None or self.conforms(one, url))
            for one in values
            for url in urls
        )


def _exists(values: Sequence[Item], rules: Sequence[ElementRules]) -> bool | None:
    if any(one.maximum == 0 for one in rules):
        return not values
    return bool(values) if any(one.minimum > 0 for one in rules) else None


def _has_type(values: Sequence[Item], rules: Sequence[ElementRules]) -> bool | None:
    codes = {one.code for rule in rules for one in rule.types}
    if not codes or "" in codes:
        return None
    return any(one.type in codes or codes & {*_ABSTRACT} for one in values)


def _says_anything(rules: ElementRules) -> bool:
    says: Any = rules.fixed is not None or rules.pattern is not None or rules.binding
    return bool(says) or any(_says_anything(child) for child in rules.children.values())


def _is_extension(rules: ElementRules, url: str) -> bool:
    profiles = {name.partition("|")[0] for one in rules.types for name in one.profiles}
    fixed = rules.children.get("url")
    return url in profiles or (fixed is not None and fixed.fixed == url)
