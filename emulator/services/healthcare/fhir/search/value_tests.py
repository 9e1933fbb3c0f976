"""SQL of the tests that compare the values of the index with those of a query."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from emulator.services.healthcare.fhir import moments
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.search.criteria import SearchError, split, unescape
from emulator.services.healthcare.fhir.search.parameters import SearchParameter
from emulator.services.healthcare.fhir.search.values import fold

_LAST = "\U0010ffff"
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_APPROXIMATE = Decimal("0.1")
"""`ap` takes values within a tenth (recommended in FHIR's search)."""


class Sql(NamedTuple):
    """A piece of SQL with its values."""

    text: str
    values: tuple[Any, ...] = ()


def join(parts: Sequence[Sql], word: str) -> Sql:
    """Return pieces of SQL with a word between them."""
    return Sql(
        word.join(part.text for part in parts),
        tuple(value for part in parts for value in part.values),
    )


def any_of(tests: Sequence[Sql]) -> Sql:
    """Return the test that one of several tests passes; false without one.

    The parentheses make a balanced tree: SQLite limits the depth of an expression, and a search by
    some thousand ids has as many tests.
    """
    if len(tests) < 2:
        return tests[0] if tests else Sql("0")
    half = len(tests) // 2
    left, right = any_of(tests[:half]), any_of(tests[half:])
    return Sql(f"({left.text}) OR ({right.text})", (*left.values, *right.values))


def all_words(texts: Sequence[str]) -> Sql:
    """Return the test of a text for all words of a query."""
    words = fold(" ".join(texts)).split()
    tests = [Sql("instr(folded, ?)", (f" {word} ",)) for word in words]
    return join(tests, " AND ") if tests else Sql("0")


def _token(value: str, modifier: str) -> Sql:
    if modifier == "text":
        return Sql("instr(lower(text), ?)", (unescape(value).lower(),))
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) == 1:
        return Sql("code = ?", (parts[0],))
    if len(parts) > 2:
        raise SearchError(f'invalid token: "{value}" has more than one |')
    system, code = parts
    if not code:
        return Sql("system = ?", (system,))
    return Sql("code = ? AND system = ?", (code, system))


def _string(value: str, modifier: str) -> Sql:
    text = unescape(value)
    if modifier == "exact":
        return Sql("exact = ?", (text,))
    if modifier == "contains":
        return Sql("instr(folded, ?)", (fold(text),))
    folded = fold(text)
    return Sql("folded >= ? AND folded < ?", (folded, folded + _LAST))


def _uri(value: str, modifier: str) -> Sql:
    text = unescape(value)
    if modifier == "below":
        return Sql("code >= ? AND code < ?", (text, text + _LAST))
    if modifier == "above":
        return Sql("code <> '' AND substr(?, 1, length(code)) = code", (text,))
    return Sql("code = ?", (text,))


def reference(parameter: SearchParameter, value: str) -> Sql:
    """Return the test of a reference: by id, by type and id, or by URL."""
    text = unescape(value)
    named, slash, target = text.partition("/")
    if slash and named in resource_types() and "/" not in target:
        return Sql("type = ? AND id = ?", (named, target))
    if slash or ":" in text or "|" in text:
        return Sql(
            "url <> '' AND (url = ? OR url >= ? AND url < ?)", (text, f"{text}|", f"{text}|{_LAST}")
        )
    marks = ", ".join("?" for _ in parameter.targets)
    return Sql(f"type IN ({marks}) AND id = ?", (*parameter.targets, text))


def _prefix(value: str) -> tuple[str, str]:
    if value[:2] in _PREFIXES:
        return value[:2], value[2:]
    return "eq", value


def _date(value: str, _: str) -> Sql:
    prefix, text = _prefix(value)
    found = moments.parse(text)
    if found is None:
        raise SearchError(f'invalid date: "{value}"')
    low, high = found
    if prefix == "ap":
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        margin = int(abs(now - low) * _APPROXIMATE)
        return Sql("low < ? AND high > ?", (high + margin, low - margin))
    return _in_range(prefix, low, high, "<=", low, high)


def _in_range(prefix: str, low: float, high: float, end: str, below: float, above: float) -> Sql:
    """Return the test of a prefix.

    Args:
        prefix: but `ap`
        low: where the range of equal values begins
        high: where it ends
        end: how the high end of an equal value compares with `high`
        below: what a smaller value passes
        above: what a greater value passes
    """
    equal = Sql(f"low >= ? AND high {end} ?", (low, high))
    match prefix:
        case "eq":
            return equal
        case "ne":
            return Sql(f"NOT ({equal.text})", equal.values)
        case "gt":
            return Sql("high > ?", (above,))
        case "lt":
            return Sql("low < ?", (below,))
        case "ge":
            return Sql(f"high > ? OR ({equal.text})", (above, *equal.values))
        case "le":
            return Sql(f"low < ? OR ({equal.text})", (below, *equal.values))
        case "sa":
            return Sql("low >= ?" if end == "<=" else "low > ?", (above,))
    return Sql("high <= ?" if end == "<=" else "high < ?", (below,))


def _number(value: str, _: str) -> Sql:
    prefix, text = _prefix(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise SearchError(f'invalid number: "{value}"')
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal((0, (5,), exponent - 1))
    if prefix == "ap":
        margin = abs(number) * _APPROXIMATE
        return Sql("low <= ? AND high >= ?", (float(number + margin), float(number - margin)))
    exact = float(number)
    return _in_range(prefix, float(number - half), float(number + half), "<", exact, exact)


def _quantity(value: str, modifier: str) -> Sql:
    number, *unit = (unescape(part) for part in split(value, "|"))
    test = _number(number, modifier)
    if not unit:
        return test
    if len(unit) != 2:
        raise SearchError(f'invalid quantity: "{value}" has the form NUMBER|SYSTEM|CODE')
    system, code = unit
    if system:
        return Sql(f"({test.text}) AND system = ? AND code = ?", (*test.values, system, code))
    return Sql(f"({test.text}) AND (code = ? OR unit = ?)", (*test.values, code, code))


TESTS: Mapping[str, Callable[[str, str], Sql]] = {
    "token": _token,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
}
"""The test of a value, which gets the value and the modifier, by the type of the parameter."""
