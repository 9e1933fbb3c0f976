"""Types of fields in list filters: the operators of each, and how it compares."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

Test = Callable[[Sequence[Any]], bool]
"""Whether one of the values of a field matches; a field that is absent has none."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.eq,  # and the result is negated
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FieldType(Protocol):
    """A type of field."""

    @property
    def operators(self) -> frozenset[str]:
        """The operators that a filter may use with the field."""

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison.

        Raises:
            ValueError: the value is not one of the type; the text says what it must be
        """


@dataclass(frozen=True)
class Value:
    """A value of any type, as it stands in JSON; `*` stands for any text.

    Numbers, instants and booleans compare as such if the field and the filter both hold one.
    """

    operators: frozenset[str] = frozenset({"=", "!=", "<", "<=", ">", ">=", ":"})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        if sign == ":":
            return lambda found: any(_has(each, wanted) for each in found)
        if sign not in ("=", "!="):
            compare = _COMPARE[sign]
            return lambda found: any(compare(*_comparable(each, wanted)) for each in found)
        equal = _equality(wanted)
        return _negatable(sign == "!=", lambda found: any(equal(each) for each in found))


@dataclass(frozen=True)
class Label:
    """The value of a label: equal to a text, or present (`:*`)."""

    operators: frozenset[str] = frozenset({"=", ":"})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        present = sign == ":" and wanted == "*"
        return lambda found: bool(found) if present else wanted in found


@dataclass(frozen=True)
class Text:
    """A text: equal to another, contains it (`:`), or matches a regular expression (`=~`).

    Attributes:
        ignore_case: whether capital and small letters are the same, as in Cloud Logging
    """

    ignore_case: bool = False
    operators: frozenset[str] = frozenset({"=", "!=", ":", "=~", "!~", "<", "<=", ">", ">="})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        if sign in ("=~", "!~"):
            matches = self._pattern(wanted).search
            return _negatable(sign == "!~", lambda found: any(map(matches, map(str, found))))
        right = self._fold(wanted)
        if sign == ":":
            present = wanted == "*"
            return lambda found: any(present or right in self._fold(each) for each in found)
        compare = _COMPARE[sign]
        return _negatable(
            sign == "!=", lambda found: any(compare(self._fold(each), right) for each in found)
        )

    def _pattern(self, text: str) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error as error:
            raise ValueError(f"a valid regular expression: {error}") from None

    def _fold(self, value: Any) -> str:
        return str(value).lower() if self.ignore_case else str(value)


@dataclass(frozen=True)
class Boolean:
    """Either `true` or `false`; a field that is absent is false, as protocol buffers have it."""

    operators: frozenset[str] = frozenset({"=", "!=", ":"})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        if wanted not in ("true", "false"):
            raise ValueError("true or false")
        right = (wanted == "true") != (sign == "!=")
        return lambda found: any(found) == right


@dataclass(frozen=True)
class Timestamp:
    """An instant in RFC 3339, or a day."""

    operators: frozenset[str] = frozenset({"=", "!=", "<", "<=", ">", ">="})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        try:
            right = _instant(wanted)
        except ValueError:
            raise ValueError("a timestamp such as 2026-01-31T00:00:00Z") from None
        compare = _COMPARE[sign]
        return _negatable(
            sign == "!=", lambda found: any(compare(_instant(each), right) for each in found)
        )


@dataclass(frozen=True)
class Enumeration:
    """One of some names, which compare by their order.

    Attributes:
        names: from the lowest to the highest
    """

    names: tuple[str, ...]
    operators: frozenset[str] = frozenset({"=", "!=", "<", "<=", ">", ">=", ":"})

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        if wanted not in self.names:
            raise ValueError(f"one of {', '.join(self.names)}")
        right, compare = self.names.index(wanted), _COMPARE["=" if sign == ":" else sign]
        return _negatable(
            sign == "!=",
            lambda found: any(compare(self.names.index(each), right) for each in found),
        )


def values_at(resource: Mapping[str, Any], path: Sequence[str]) -> list[Any]:
    """Return the values of a field, which are several where a list is on the path."""
    found: list[Any] = [resource]
    for name in path:
        inner = [each[name] for each in found if isinstance(each, Mapping) and name in each]
        found = [
            each for value in inner for each in (value if isinstance(value, list) else [value])
        ]
    return [each for each in found if each is not None]


def search(value: Any, wanted: str) -> bool:
    """Whether any text in a value contains another, in capital or small letters."""
    if isinstance(value, Mapping):
        return any(search(each, wanted) for each in value.values())
    if isinstance(value, list):
        return any(search(each, wanted) for each in value)
    return wanted.lower() in str(value).lower()


def _negatable(negated: bool, test: Test) -> Test:
    return (lambda found: not test(found)) if negated else test


def _equality(wanted: str) -> Callable[[Any], bool]:
    first, *others = wanted.split("*")
    if not others:
        return lambda found: operator.eq(*_comparable(found, wanted))
    *inner, last = others
    return lambda found: _is_made_of(str(found), first, inner, last)


def _is_made_of(text: str, first: str, inner: Sequence[str], last: str) -> bool:
    """Whether a text has some pieces in this order, with any text between them."""
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in inner:
        at = text.find(piece, start, end)
        if at < 0:
            return False
        start = at + len(piece)
    return True


def _has(found: Any, wanted: str) -> bool:
    return wanted == "*" or wanted in (found if isinstance(found, Mapping) else str(found))


def _comparable(found: Any, wanted: str) -> tuple[Any, Any]:
    """Return both as numbers or instants if both are some, as texts otherwise."""
    text = str(found).lower() if isinstance(found, bool) else str(found)
    for convert in (float, _instant):
        try:
            return convert(text), convert(wanted)
        except ValueError:
            continue
    return text, wanted


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
