"""Membership of codes in the value sets of a store.

A value set lists its codes, names whole code systems, filters these or includes other sets. Codes
of a system that is not in the store can't be looked up: they count as members.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Find = Callable[[str, str], Mapping[str, Any] | None]
"""Returns a resource of the store by its type and canonical URL."""
MAX_DEPTH = 20
"""Of value sets that include others."""


class ValueSets:
    """The value sets and code systems of a store.

    Args:
        find: returns them
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._systems: dict[str, Mapping[str, tuple[str, ...]] | None] = {}

    def has(self, url: str, system: str, code: str, depth: int = 0) -> bool:
        """Whether a value set has a code; True if the store can't decide.

        Args:
            url: the canonical URL of the value set
            system: of the code; empty for a code without one, which matches any system
            code: the code
            depth: of the inclusion
        """
        found = self._find("ValueSet", url)
        if found is None or depth > MAX_DEPTH:
            return True
        compose = found.get("compose")
        if compose is None:
            return _has_expansion(found, system, code)
        includes, excludes = compose.get("include", ()), compose.get("exclude", ())
        return any(self._is_in(one, system, code, depth, True) for one in includes) and not any(
            self._is_in(one, system, code, depth, False) for one in excludes
        )

    def _is_in(
        self, part: Mapping[str, Any], system: str, code: str, depth: int, unknown: bool
    ) -> bool:
        """Whether a part of a value set has a code; `unknown` if the store can't decide."""
        sets = part.get("valueSet", ())
        if not all(self.has(url, system, code, depth + 1) for url in sets):
            return False
        if "system" not in part:
            return bool(sets)
        if system not in ("", part["system"]):
            return False
        if "concept" in part:
            return any(one.get("code") == code for one in part["concept"])
        codes = self._codes(part["system"])
        if codes is None:
            return unknown
        filters = part.get("filter", ())
        if code not in codes:
            return False
        return all(_passes(one, code, codes[code], unknown) for one in filters)

    def _codes(self, url: str) -> Mapping[str, tuple[str, ...]] | None:
        """Return the codes of a system with those above each; None if the store lacks them."""
        if url not in self._systems:
            found = self._find("CodeSystem", url)
            is_complete = found is not None and found.get("content") == "complete"
            concepts = (found or {}).get("concept", ())
            self._systems[url] = dict(_concepts(concepts, ())) if is_complete else None
        return self._systems[url]


def _concepts(concepts: Any, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in concepts:
        code = str(one.get("code", ""))
        yield code, above
        yield from _concepts(one.get("concept", ()), (*above, code))


def _passes(filter_: Mapping[str, str], code: str, above: tuple[str, ...], unknown: bool) -> bool:
    wanted = filter_.get("value", "")
    match filter_.get("op"):
        case "is-a":
            return code == wanted or wanted in above
        case "descendent-of":
            return wanted in above
        case "is-not-a":
            return code != wanted and wanted not in above
        case "in" if filter_.get("property") in ("code", "concept"):
            return code in wanted.split(",")
    return unknown


def _has_expansion(value_set: Mapping[str, Any], system: str, code: str) -> bool:
    """Whether the expansion of a value set has a code; True if there is none."""

    def listed(concepts: Any) -> bool:
        return any(
            (one.get("code") == code and system in ("", one.get("system", "")))
            or listed(one.get("contains", ()))
            for one in concepts
        )

    expansion = value_set.get("expansion")
    return expansion is None or listed(expansion.get("contains", ()))
