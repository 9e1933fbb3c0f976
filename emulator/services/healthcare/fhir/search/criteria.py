"""Conditions of a query: a parameter with its modifier and values, a chain, or `_has`.

Inferred (conformance: fhir-search-text): the texts of refusals; the word `invalid_query` is
observed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.outcome import Issue, error
from emulator.services.healthcare.fhir.search.parameters import SearchParameter
from emulator.services.healthcare.fhir.search.store_parameters import STANDARD, StoreParameters

_MODIFIERS = {
    "token": {"missing", "not", "text", "in", "not-in"},
    "string": {"missing", "exact", "contains"},
    "uri": {"missing", "above", "below"},
    "reference": {"missing"},
}
_UNESCAPED = re.compile(r"\\(.)")


class SearchError(Exception):
    """The query is not valid: 400.

    Attributes:
        issue: the reason
    """

    def __init__(self, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.issue: Issue = error("value", "invalid_query", diagnostics)


class UnknownParameterError(SearchError):
    """A parameter that lenient handling ignores."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition on resources of one type.

    Attributes:
        parameter: of the type
        modifier: such as `exact`; empty for none
        values: of which one must match
        chain: a condition on the target of a reference, by the target's type
        has: whether `chain` is on the resources that refer to this one, by `parameter`
        source: for `has`, the type of the resources that refer
    """

    parameter: SearchParameter
    modifier: str = ""
    values: Sequence[str] = ()
    chain: "Sequence[tuple[str, Criterion]]" = ()
    has: bool = False
    source: str = ""


def split(text: str, separator: str) -> list[str]:
    r"""Return the parts of a value between separators, but those behind a backslash."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def unescape(text: str) -> str:
    r"""Return a part without its backslashes: `a\,b` is `a,b`."""
    return _UNESCAPED.sub(r"\1", text)


def criterion(
    resource_type: str, name: str, value: str, known: StoreParameters = STANDARD
) -> Criterion:
    """Return the condition of a parameter, which may be a chain or `_has`.

    Args:
        resource_type: that has the parameter
        name: of the parameter in the query, with its modifier or chain
        value: of the parameter
        known: the parameters of the store

    Raises:
        UnknownParameterError: the type does not have the parameter
        SearchError: the modifier or the value is not valid
    """
    if name.startswith("_has:"):
        return _reverse_chain(resource_type, name, value, known)
    head, is_chain, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    parameter = find_parameter(resource_type, code, known)
    if is_chain:
        return _chain(parameter, modifier, rest, value, known)
    if parameter.type == "reference" and modifier in resource_types():
        return Criterion(parameter, "", [f"{modifier}/{one}" for one in split(value, ",")])
    if modifier and modifier not in _MODIFIERS.get(parameter.type, {"missing"}):
        raise SearchError(
            f'modifier "{modifier}" is not supported for {parameter.type} parameter "{code}"'
        )
    if modifier == "missing" and value not in ("true", "false"):
        raise SearchError(f'invalid value for {name}: "{value}" is neither true nor false')
    return Criterion(parameter, modifier, split(value, ","))


def find_parameter(resource_type: str, code: str, known: StoreParameters) -> SearchParameter:
    """Return a parameter of a resource type.

    Raises:
        UnknownParameterError: the type does not have it
    """
    parameter = known.of(resource_type).get(code)
    if parameter is None:
        of = f" for resource type {resource_type}" if resource_type else ""
        raise UnknownParameterError(f'unknown search parameter "{code}"{of}')
    return parameter


def _chain(
    parameter: SearchParameter, modifier: str, rest: str, value: str, known: StoreParameters
) -> Criterion:
    if parameter.type != "reference":
        raise SearchError(f'"{parameter.code}" is not a reference, so it can\'t be chained')
    if modifier and modifier not in resource_types():
        raise SearchError(f'"{modifier}" is not a resource type of R4')
    code = re.split("[.:]", rest.removeprefix("_has:"))[0]
    types = [modifier] if modifier else parameter.targets
    is_in_each = bool(modifier) or rest.startswith("_has:")
    chain = [
        (one, criterion(one, rest, value, known))
        for one in types
        if is_in_each or code in known.of(one)
    ]
    if not chain:
        raise UnknownParameterError(
            f'no target of "{parameter.code}" has the search parameter "{code}"'
        )
    return Criterion(parameter, chain=chain)


def _reverse_chain(resource_type: str, name: str, value: str, known: StoreParameters) -> Criterion:
    parts = name.split(":", 3)
    if len(parts) != 4 or parts[1] not in resource_types():
        raise SearchError(f'"{name}" does not have the form _has:TYPE:REFERENCE:PARAMETER')
    _, source, code, rest = parts
    parameter = find_parameter(source, code, known)
    if parameter.type != "reference":
        raise SearchError(f'"{code}" of {source} is not a reference')
    inner = criterion(source, rest, value, known)
    return Criterion(parameter, chain=[(resource_type, inner)], has=True, source=source)
