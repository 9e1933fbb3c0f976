"""Lifecycle rules of buckets, as a program writes them and as the API has them."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.standin.http import Json
from engine.standin.values import is_zero

_NAMES = {"matchesPrefixes": "matchesPrefix", "matchesStorageClasses": "matchesStorageClass",
          "matchesSuffixes": "matchesSuffix"}  # fmt: skip
"""Condition of a program -> field of the API; the others have one name."""
_EVEN_ZERO = {
    "age": "sendAgeIfZero",
    "daysSinceCustomTime": "sendDaysSinceCustomTimeIfZero",
    "daysSinceNoncurrentTime": "sendDaysSinceNoncurrentTimeIfZero",
    "numNewerVersions": "sendNumNewerVersionsIfZero",
}
"""Condition -> the condition that says whether 0 is sent."""
_STATES = {"LIVE": True, "ARCHIVED": False}
_ANY = "ANY"


def to_rules(rules: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Return the rules of a program as the API takes them."""
    return [
        {"action": _set(rule["action"]), "condition": _sent(rule["condition"])} for rule in rules
    ]


def from_rules(rules: Iterable[Json]) -> list[Json]:
    """Return the rules of the API as the provider reads them."""
    return [{"action": rule["action"], "condition": _read(rule["condition"])} for rule in rules]


def _sent(condition: Mapping[str, Any]) -> Json:
    kept = _set(condition)
    state = kept.pop("withState", None)
    for name, flag in _EVEN_ZERO.items():
        if kept.pop(flag, False) and name not in kept:
            kept[name] = 0
    is_live = {"isLive": _STATES[state]} if state in _STATES else {}
    return {_NAMES.get(name, name): value for name, value in kept.items()} | is_live


def _read(condition: Json) -> Json:
    names = {wire: name for name, wire in _NAMES.items()}
    found = {names.get(wire, wire): value for wire, value in condition.items() if wire != "isLive"}
    is_live = condition.get("isLive")
    state = _ANY if is_live is None else next(name for name in _STATES if _STATES[name] == is_live)
    return {**found, "withState": state}


def _set(values: Mapping[str, Any]) -> Json:
    return {name: value for name, value in values.items() if not is_zero(value)}
