"""Filters of operation lists, as Google's APIs have them (https://google.aip.dev/160).

Comparisons of any field of an operation, joined by AND, OR (which binds closer), NOT and
parentheses: `done=true AND metadata.createTime>"2026-01-31T00:00:00Z"`.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pyparsing as pp

from emulator.errors import ApiError, invalid_argument

Filter = Callable[[Mapping[str, Any]], bool]

EXAMPLE = 'done=true AND metadata.createTime>"2026-01-31T00:00:00Z"'
FIELDS = ("name", "done", "metadata", "error", "response")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse(text: str) -> Filter:
    """Make a filter out of its text; an empty one lets every operation pass.

    Raises:
        ApiError: 400, naming the place that can't be read.
    """
    if not text.strip():
        return lambda _: True
    try:
        [found] = _GRAMMAR.parse_string(text, parse_all=True)
    except pp.ParseBaseException as error:
        place = repr(text[error.loc :]) if error.loc < len(text) else "its end"
        raise invalid_argument(
            f"invalid filter {text!r}: at {place}; fields are those of an operation"
            f" ({', '.join(FIELDS)}), as in {EXAMPLE}"
        ) from None
    except RecursionError:
        raise _too_deep() from None

    def passes(operation: Mapping[str, Any]) -> bool:
        try:
            return bool(found(operation))
        except RecursionError:
            raise _too_deep() from None

    return passes


def _too_deep() -> ApiError:
    return invalid_argument("invalid filter: it is nested too deeply")


def _grammar() -> pp.ParserElement:
    no, either, both = pp.Keyword("NOT") | pp.Literal("-"), pp.Keyword("OR"), pp.Keyword("AND")
    field = pp.Regex(rf"(?:{'|'.join(FIELDS)})\b(?:\.\w+)*")
    sign = pp.one_of("= != < <= > >= :")
    value = pp.QuotedString('"', esc_char="\\") | pp.Regex(r'[^\s()"]+')
    comparison = (field + sign + value).set_parse_action(lambda found: _comparison(*found))
    grammar: pp.ParserElement = pp.infix_notation(  # type: ignore[no-untyped-call]
        comparison,
        [
            (no.suppress(), 1, pp.OpAssoc.RIGHT, lambda found: _not(found[0][0])),
            (either.suppress(), 2, pp.OpAssoc.LEFT, lambda found: _any(list(found[0]))),
            (both.suppress(), 2, pp.OpAssoc.LEFT, lambda found: _all(list(found[0]))),
        ],
    )
    return grammar


def _not(term: Filter) -> Filter:
    return lambda operation: not term(operation)


def _any(terms: list[Filter]) -> Filter:
    return lambda operation: any(term(operation) for term in terms)


def _all(terms: list[Filter]) -> Filter:
    return lambda operation: all(term(operation) for term in terms)


def _comparison(field: str, sign: str, wanted: str) -> Filter:
    def holds(operation: Mapping[str, Any]) -> bool:
        # Protocol buffers leave out what is false.
        found = _at({"done": False, **operation}, field)
        if sign == "!=":
            return not _equal(found, wanted)
        if sign == "=":
            return _equal(found, wanted)
        if sign == ":":
            return _has(found, wanted)
        return found is not None and _ORDERS[sign](*_comparable(found, wanted))

    return holds


def _at(operation: Mapping[str, Any], field: str) -> Any:
    found: Any = operation
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _equal(found: Any, wanted: str) -> bool:
    """Whether both are the same; a `*` stands for any text."""
    if found is None:
        return False
    if "*" in wanted:
        pattern = ".*".join(re.escape(piece) for piece in wanted.split("*"))
        return re.fullmatch(pattern, str(found), re.DOTALL) is not None
    one, other = _comparable(found, wanted)
    return bool(one == other)


def _has(found: Any, wanted: str) -> bool:
    if found is None:
        return False
    return wanted == "*" or wanted in (found if isinstance(found, Mapping) else str(found))


def _comparable(found: Any, wanted: str) -> tuple[Any, Any]:
    """Both as numbers or instants if both are some, as texts otherwise."""
    text = str(found).lower() if isinstance(found, bool) else str(found)
    for kind in (float, _instant):
        try:
            return kind(text), kind(wanted)
        except ValueError:
            continue
    return text, wanted


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.astimezone()


_GRAMMAR = _grammar()
