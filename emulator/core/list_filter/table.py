"""Tables of the fields that a list's filter may name, and the filters made from them.

Inferred (conformance: list-filter-text, logging-filter-text): the texts of refusals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from emulator.core.errors import ApiError, invalid_argument
from emulator.core.list_filter.fields import FieldType, Test, search, values_at
from emulator.core.list_filter.grammar import (
    AND,
    NOT,
    OR,
    SEQUENCE,
    Bare,
    Comparison,
    FilterSyntaxError,
    Function,
    Joined,
    Node,
    Text,
    parse,
)

Resource = Mapping[str, Any]
Filter = Callable[[Resource], bool]
FunctionType = Callable[[Sequence[str]], Filter]
"""Takes the arguments of a call and returns its test; raises ValueError for bad arguments."""
ComparedFunctionType = Callable[[Sequence[str], str, str], Filter]
"""The same for a call whose result is compared: takes the operator and the value too."""

MAX_LENGTH = 20_000
"""Characters of a filter, the limit of Cloud Logging's `entries.list`."""
_MAX_QUOTED = 200
"""Characters of a filter that an error quotes."""


class BareTerm(Enum):
    """The meaning of a term without an operator."""

    REFUSED = auto()
    PRESENT = auto()
    """It names a field, which must be present."""
    SEARCH = auto()
    """It is a text, which some field must contain."""


class _CulpritError(Exception):
    """A term that the table does not allow.

    Attributes:
        location: offset of the culprit in the filter
        reason: what the culprit must be; empty if the usage says it
    """

    def __init__(self, location: int, reason: str = "") -> None:
        super().__init__(location, reason)
        self.location = location
        self.reason = reason


@dataclass(frozen=True)
class FieldTable:
    """The filter language of one list.

    Attributes:
        usage: the fields and an example, for errors
        fields: from the path of a field to its type. `*` in a path stands for one name, such as
            the key of a label, and `**` at its end for any number of names
        connectives: those that the list takes, of `AND`, `OR`, `NOT` and a space
        bare: the meaning of a term without an operator
        functions: by name
        compared_functions: by name, those whose result is compared with a value
    """

    usage: str
    fields: Mapping[str, FieldType]
    connectives: frozenset[str] = frozenset({AND, OR, NOT})
    bare: BareTerm = BareTerm.REFUSED
    functions: Mapping[str, FunctionType] = field(default_factory=dict)
    compared_functions: Mapping[str, ComparedFunctionType] = field(default_factory=dict)

    def compile(self, text: str) -> Filter:
        """Return the filter of a text; an empty one matches every resource.

        Raises:
            ApiError: 400, naming the culprit
        """
        if not text.strip():
            return lambda _: True
        if len(text) > MAX_LENGTH:
            raise invalid_argument(f"invalid filter: it is longer than {MAX_LENGTH} characters")
        try:
            return self._compile(parse(text))
        except FilterSyntaxError as error:
            raise self._error(text, error.location, "") from None
        except _CulpritError as error:
            raise self._error(text, error.location, error.reason) from None
        except RecursionError:
            raise invalid_argument("invalid filter: it is nested too deeply") from None

    def _error(self, text: str, location: int, reason: str) -> ApiError:
        culprit = text[location:].strip()
        where = repr(culprit[:_MAX_QUOTED]) if culprit else "its end"
        details = f"{reason}; {self.usage}" if reason else self.usage
        return invalid_argument(f"invalid filter {text[:_MAX_QUOTED]!r}: at {where}; {details}")

    def _compile(self, node: Node) -> Filter:
        if isinstance(node, Joined):
            if node.connective not in self.connectives:
                raise _CulpritError(node.location)
            return _join(node.connective, [self._compile(term) for term in node.terms])
        if isinstance(node, Comparison):
            return self._comparison(node)
        if isinstance(node, Function):
            return self._function(node)
        if isinstance(node, Bare) and self.bare is BareTerm.PRESENT:
            return self._comparison(
                Comparison(node.location, node.path, ":", Text(node.location, "*"))
            )
        if isinstance(node, Bare) and self.bare is BareTerm.SEARCH:
            wanted = ".".join(node.path)
            return lambda resource: search(resource, wanted)
        raise _CulpritError(node.location)

    def _comparison(self, node: Comparison) -> Filter:
        type_ = self._type(node.path)
        if type_ is None:
            raise _CulpritError(node.location)
        if node.operator not in type_.operators:
            allowed = " ".join(sorted(type_.operators))
            name = ".".join(node.path)
            raise _CulpritError(node.location, f"the operators of {name} are {allowed}")
        test = self._value_test(node, type_, node.value)
        return lambda resource: test(values_at(resource, node.path))

    def _value_test(self, node: Comparison, type_: FieldType, value: Node) -> Test:
        if isinstance(value, Joined):
            tests = [self._value_test(node, type_, term) for term in value.terms]
            return _join(value.connective, tests)
        if not isinstance(value, Text):
            raise _CulpritError(value.location)
        try:
            return type_.test(node.operator, value.text)
        except ValueError as error:
            name = ".".join(node.path)
            raise _CulpritError(value.location, f"{name} is compared with {error}") from None

    def _function(self, node: Function) -> Filter:
        known = self.compared_functions if node.operator else self.functions
        if node.name not in known:
            raise _CulpritError(node.location)
        try:
            if node.operator:
                compared = self.compared_functions[node.name]
                return compared(node.arguments, node.operator, node.value)
            return self.functions[node.name](node.arguments)
        except ValueError as error:
            raise _CulpritError(node.location, f"{node.name}: {error}") from None

    def _type(self, path: Sequence[str]) -> FieldType | None:
        for pattern, type_ in self.fields.items():
            if _covers(pattern.split("."), path):
                return type_
        return None


def _covers(pattern: Sequence[str], path: Sequence[str]) -> bool:
    if pattern[-1] == "**":
        pattern, path = pattern[:-1], path[: len(pattern) - 1]
    return len(pattern) == len(path) and all(
        expected in ("*", name) for expected, name in zip(pattern, path, strict=True)
    )


def _join(connective: str, tests: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if connective == NOT:
        [negated] = tests
        return lambda subject: not negated(subject)
    if connective in (AND, SEQUENCE):
        return lambda subject: all(test(subject) for test in tests)
    return lambda subject: any(test(subject) for test in tests)
