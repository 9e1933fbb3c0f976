"""The values that an index keeps for the elements of a resource."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from emulator.services.healthcare.fhir import moments, references
from emulator.services.healthcare.fhir.search.parameters import Node

NO_BOUND = 1e300
"""Stands for a bound of numbers that a range does not have."""

_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"\w+")
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


class Token(NamedTuple):
    """A code, with its system and words; each may be empty."""

    system: str
    code: str
    text: str


class Text(NamedTuple):
    """A text without case and accents, and as it is written."""

    folded: str
    exact: str


class Interval(NamedTuple):
    """A range of numbers or of microseconds, from `low` to before `high`, with a unit."""

    low: float
    high: float
    system: str = ""
    code: str = ""
    unit: str = ""


class Target(NamedTuple):
    """The target of a reference: a resource of the store, or a URL."""

    type: str
    id: str
    url: str


def fold(text: str) -> str:
    """Return a text as searches compare it: without case, accents and double spaces."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(text.casefold().split())


def words(resource: Any) -> str:
    """Return the words of all texts in a resource, folded, each once between spaces."""
    found = dict.fromkeys(_WORD.findall(fold(" ".join(_texts(resource)))))
    return f" {' '.join(found)} " if found else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _TAG.sub(" ", value)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def tokens(node: Node) -> Iterator[Token]:
    """Yield the codes of an element."""
    value, type_name = node
    if isinstance(value, dict):
        yield from _tokens_of_object(value, type_name)
    elif isinstance(value, bool):
        yield Token("", "true" if value else "false", "")
    elif isinstance(value, str | int):
        # A code of a list has the system of the list (http://hl7.org/fhir/R4/search.html#token).
        yield Token(type_name if "/" in type_name else "", str(value), "")


def _tokens_of_object(value: dict[str, Any], type_name: str) -> Iterator[Token]:
    if type_name == "CodeableConcept":
        text = _string(value, "text")
        for coding in value.get("coding") or ():
            yield _token(coding, "code", f"{_string(coding, 'display')} {text}")
        if text and not value.get("coding"):
            yield Token("", "", text)
    elif type_name == "Identifier":
        yield _token(value, "value", _string(value.get("type") or {}, "text"))
    elif type_name == "ContactPoint":
        yield Token("", _string(value, "value"), "")
    else:
        yield _token(value, "code", _string(value, "display"))


def _token(value: dict[str, Any], key: str, text: str) -> Token:
    return Token(_string(value, "system"), _string(value, key), text.strip())


def texts(node: Node) -> Iterator[Text]:
    """Yield the texts of an element."""
    value, type_name = node
    if isinstance(value, str):
        yield Text(fold(value), value)
    elif isinstance(value, dict):
        parts = {"HumanName": _NAME_PARTS, "Address": _ADDRESS_PARTS}.get(type_name, ("text",))
        for part in parts:
            member = value.get(part)
            for item in member if isinstance(member, list) else [member]:
                if isinstance(item, str):
                    yield Text(fold(item), item)


def dates(node: Node) -> Iterator[Interval]:
    """Yield the range of time of an element; a Timing has that of all its events."""
    value, type_name = node
    if isinstance(value, str):
        if found := moments.parse(value):
            yield Interval(*found)
    elif not isinstance(value, dict):
        return
    elif type_name == "Timing":
        events = [found for one in value.get("event") or () if (found := moments.parse(str(one)))]
        if events:
            yield Interval(min(low for low, _ in events), max(high for _, high in events))
        repeat = value.get("repeat")
        if isinstance(repeat, dict) and isinstance(repeat.get("boundsPeriod"), dict):
            yield from dates((repeat["boundsPeriod"], "Period"))
    elif type_name == "Period":
        start, end = moments.parse(_string(value, "start")), moments.parse(_string(value, "end"))
        if start or end:
            yield Interval(start[0] if start else moments.MIN, end[1] if end else moments.MAX)


def numbers(node: Node) -> Iterator[Interval]:
    """Yield the number of an element, or the range of numbers."""
    value, type_name = node
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield Interval(float(value), float(value))
    elif type_name == "Range" and isinstance(value, dict):
        yield from quantities(node)


def quantities(node: Node) -> Iterator[Interval]:
    """Yield the quantity of an element, with its unit."""
    value, type_name = node
    if not isinstance(value, dict):
        return
    if type_name == "Range":
        low, high = value.get("low") or {}, value.get("high") or {}
        if low or high:
            yield _interval(
                _number(low.get("value"), -NO_BOUND),
                _number(high.get("value"), NO_BOUND),
                low or high,
            )
    elif type_name == "SampledData":
        if isinstance(value.get("origin"), dict):
            yield from quantities((value["origin"], "Quantity"))
    elif "value" in value:
        number = _number(value["value"], NO_BOUND)
        below = value.get("comparator") in ("<", "<=")
        above = value.get("comparator") in (">", ">=")
        if type_name == "Money":
            value = {"code": value.get("currency"), "system": "urn:iso:std:iso:4217"}
        yield _interval(-NO_BOUND if below else number, NO_BOUND if above else number, value)


def _interval(low: float, high: float, value: dict[str, Any]) -> Interval:
    return Interval(
        low, high, _string(value, "system"), _string(value, "code"), _string(value, "unit")
    )


def targets(node: Node) -> Iterator[Target]:
    """Yield the target of a reference, or of a canonical URL."""
    value, _ = node
    if isinstance(value, str):
        yield Target("", "", value)
    elif isinstance(value, dict):
        found = references.of_element(value, "")
        if found.form is references.Form.LOCAL:
            yield Target(found.type, found.id, "")
        elif found.form is references.Form.ABSOLUTE:
            yield Target(found.type, found.id, found.value)


def _string(value: dict[str, Any], key: str) -> str:
    member = value.get(key)
    return member if isinstance(member, str) else ""


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | Decimal) else default
