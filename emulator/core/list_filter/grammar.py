"""Grammar of list filters: from a filter's text to a syntax tree.

`AND` binds loosest, then terms side by side, then `OR`; `NOT` and `-` bind closest. The grammar
never reads a text twice, so that the time to parse grows with the length alone.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyparsing as pp

OPERATORS = ("!=", "<=", ">=", "=~", "!~", "=", "<", ">", ":")
AND, SEQUENCE, OR, NOT = "AND", " ", "OR", "NOT"


class FilterSyntaxError(Exception):
    """A filter that can't be read.

    Attributes:
        location: offset of the culprit in the text
    """

    def __init__(self, location: int) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True)
class Text:
    """A value, with its offset in the filter."""

    location: int
    text: str


@dataclass(frozen=True)
class Joined:
    """Terms that `AND`, `OR` or `NOT` join, or a sequence of terms side by side.

    Attributes:
        location: offset of the first connective; in a sequence, of the second term
        terms: two or more; one for `NOT`
    """

    location: int
    connective: str
    terms: "tuple[Node, ...]"


@dataclass(frozen=True)
class Comparison:
    """A field, an operator and a value, such as `done=true`.

    Attributes:
        value: a text, or texts that connectives join, as in `state=(ACTIVE OR FAILED)`
    """

    location: int
    path: tuple[str, ...]
    operator: str
    value: Text | Joined


@dataclass(frozen=True)
class Bare:
    """A field or a text without an operator, such as `labels.team` or `"disk full"`."""

    location: int
    path: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """A call of a function, such as `log_id("stdout")`.

    Attributes:
        operator: empty if the result is not compared
        value: with which the result is compared; empty without an operator
    """

    location: int
    name: str
    arguments: tuple[str, ...]
    operator: str = ""
    value: str = ""


Node: TypeAlias = Text | Joined | Comparison | Bare | Function


@dataclass(frozen=True)
class _Connective:
    location: int


def parse(text: str) -> Node:
    """Return the syntax tree of a filter that is not empty.

    Raises:
        FilterSyntaxError: the text is not a filter
        RecursionError: the text is nested too deeply
    """
    try:
        with _PARSING:
            [node] = _GRAMMAR.parse_string(text, parse_all=True)
    except pp.ParseBaseException as error:
        raise FilterSyntaxError(error.loc) from None
    found: Node = node
    return found


def _grammar() -> pp.ParserElement:
    keyword = pp.Regex(rf"(?:{AND}|{OR}|{NOT})\b")
    quoted = pp.QuotedString('"', esc_char="\\", multiline=True)
    segment = quoted | pp.Regex(r"[\w@][\w@/-]*")
    dot = pp.Literal(".").leave_whitespace()
    path = pp.Group(~keyword + segment + pp.ZeroOrMore(dot.suppress() - segment))

    value = (quoted | ~keyword + pp.Regex(r'[^\s()"]+')).set_parse_action(
        lambda _, location, found: Text(location, found[0])
    )
    group = pp.Suppress("(") - _logic(value) + pp.Suppress(")")
    compared = path + pp.Optional(pp.one_of(OPERATORS) - (group | value))

    name = ~keyword + pp.Regex(r"[A-Za-z_]\w*(?=\()")
    argument = quoted | pp.Regex(r'[^\s(),"]+')
    arguments = pp.Group(pp.Optional(pp.DelimitedList(argument)))
    called = name + pp.Suppress("(") - arguments + pp.Suppress(")")
    function = called + pp.Optional(pp.one_of(OPERATORS) - value)
    return _logic(
        function.set_parse_action(
            lambda _, location, found: _call(location, found[0], tuple(found[1]), *found[2:])
        )
        | compared.set_parse_action(
            lambda _, location, found: _restriction(location, tuple(found[0]), *found[1:])
        )
    )


def _restriction(location: int, path: tuple[str, ...], *compared: Any) -> Node:
    return Comparison(location, path, *compared) if compared else Bare(location, path)


def _call(location: int, name: str, arguments: tuple[str, ...], *compared: Any) -> Function:
    operator, value = compared or ("", Text(location, ""))
    return Function(location, name, arguments, operator, value.text)


def _logic(atom: pp.ParserElement) -> pp.ParserElement:
    """Return the grammar of atoms that connectives and parentheses join."""
    expression, term = pp.Forward(), pp.Forward()
    group = pp.Suppress("(") - expression + pp.Suppress(")")
    negated = _connective(pp.Keyword(NOT) | pp.Literal("-")) - term
    term <<= negated.set_parse_action(_join(NOT)) | group | atom
    factor = term + pp.ZeroOrMore(_connective(pp.Keyword(OR)) - term)
    sequence = pp.OneOrMore(factor.set_parse_action(_join(OR)))
    sequence.set_parse_action(_join(SEQUENCE))
    expression <<= sequence + pp.ZeroOrMore(_connective(pp.Keyword(AND)) - sequence)
    return expression.set_parse_action(_join(AND))


def _connective(word: pp.ParserElement) -> pp.ParserElement:
    return word.set_parse_action(lambda _, location, __: _Connective(location))


def _join(connective: str) -> Callable[[Any], Node]:
    def join(found: Any) -> Node:
        terms = tuple(each for each in found if not isinstance(each, _Connective))
        if len(terms) == len(found) == 1:
            alone: Node = terms[0]
            return alone
        marks = [each for each in found if isinstance(each, _Connective)] or terms[1:]
        return Joined(marks[0].location, connective, terms)

    return join


_GRAMMAR = _grammar()
_PARSING = threading.Lock()
"""One parse at a time: pyparsing learns how to call an action while it parses, and two threads
disturb each other at the first parse."""
