"""Queries of searches: parameters with modifiers, chains and prefixes, and what forms the result.

Observed: a parameter that the resource type does not have is ignored, unless the client or the
store asks for strict handling.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.search.criteria import (
    Criterion,
    SearchError,
    UnknownParameterError,
    criterion,
    find_parameter,
)
from emulator.services.healthcare.fhir.search.store_parameters import STANDARD, StoreParameters

DEFAULT_COUNT, MAX_COUNT = 100, 1000
"""Matches of a page (documented)."""
PAGE_TOKEN = "_page_token"  # noqa: S105 - the name of a parameter

_FORMATS = ("_format", "_pretty")
"""Parameters of the form of the answer, which is always JSON."""

_SORTED_TYPES = {"number", "date", "string", "token", "quantity"}
_REFUSED = {"_contained", "_containedType", "_query", "_filter", "_language", "_in", "_list"}


@dataclass(frozen=True, slots=True)
class Include:
    """Resources to add to the matches.

    Attributes:
        source: the type of the resources with the reference
        parameter: the code of the reference; empty for every one
        target: the type of the target; empty for any
        iterate: whether it applies to resources that were added too
        reverse: whether it adds the resources with the reference
    """

    source: str
    parameter: str
    target: str
    iterate: bool
    reverse: bool


@dataclass(slots=True)
class Query:
    """A query that was read.

    Attributes:
        types: resource types to search; empty for all
        known: the search parameters of the store
        criteria: the conditions by resource type, `""` for every type
        applied: the names and values that took effect
        sort: parameters by code, and whether each is descending
        includes: what to add
        count: matches of a page
        page_token: of the page before
        elements: the elements to return; empty for all
        summary: `text`, `data`, or empty
    """

    types: Sequence[str]
    known: StoreParameters = STANDARD
    criteria: dict[str, list[Criterion]] = field(default_factory=dict)
    applied: list[tuple[str, str]] = field(default_factory=list)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    page_token: str = ""
    elements: Sequence[str] = ()
    summary: str = ""


def is_by_identifier(query: Query) -> bool:
    """Whether a search uses the index of identifiers, which does not lag (documented)."""
    names = {name.partition(":")[0] for name, _ in query.applied}
    beside = {"_count", "_include", "_revinclude", "_summary", "_elements"}
    return "identifier" in names and names <= {"identifier", *beside}


def read(
    pairs: Iterable[tuple[str, str]],
    resource_type: str,
    *,
    strict: bool,
    known: StoreParameters = STANDARD,
) -> Query:
    """Return the query of a request.

    Args:
        pairs: the names and values in the URL
        resource_type: that the path names; empty for a search over types
        strict: refuse unknown parameters
        known: the search parameters of the store

    Raises:
        SearchError: a parameter or its value is not valid
    """
    listed = [(name, value) for name, value in pairs if name not in _FORMATS]
    types = [resource_type] if resource_type else _types(listed)
    query = Query(types, known)
    for name, value in listed:
        try:
            _read_one(query, name, value)
        except UnknownParameterError:
            if strict:
                raise
        else:
            if name != PAGE_TOKEN:
                query.applied.append((name, value))
    return query


def _types(pairs: Iterable[tuple[str, str]]) -> list[str]:
    types = [one for name, value in pairs if name == "_type" for one in value.split(",")]
    for one in types:
        if one not in resource_types():
            raise SearchError(f'invalid value for _type: "{one}" is not a resource type of R4')
    return types


def _read_one(query: Query, name: str, value: str) -> None:
    plain, _, modifier = name.partition(":")
    if plain in _REFUSED:
        raise UnknownParameterError(f'search parameter "{plain}" is not supported')
    if name == "_type":
        return  # `_types` read it first, since the other parameters depend on it
    if plain in ("_include", "_revinclude"):
        query.includes.append(_include(plain, modifier, value, query.known))
    elif name in _RESULT_PARAMETERS:
        _RESULT_PARAMETERS[name](query, value)
    else:
        for one in query.types or [""]:
            query.criteria.setdefault(one, []).append(criterion(one, name, value, query.known))


def _sort(query: Query, text: str) -> None:
    for one in filter(None, text.split(",")):
        code = one.removeprefix("-")
        for resource_type in query.types or [""]:
            parameter = find_parameter(resource_type, code, query.known)
            if parameter.type not in _SORTED_TYPES:
                raise SearchError(f'_sort does not support the {parameter.type} parameter "{code}"')
        query.sort.append((code, one.startswith("-")))


def _count(query: Query, text: str) -> None:
    if not text.isascii() or not text.isdigit():
        raise SearchError(f'invalid value for _count: "{text}" is not a non-negative integer')
    query.count = min(int(text[:9]), MAX_COUNT)


def _elements(query: Query, text: str) -> None:
    query.elements = [*query.elements, *filter(None, map(str.strip, text.split(",")))]


def _summary(query: Query, text: str) -> None:
    if text not in ("text", "data", "false"):
        raise SearchError(f'invalid value for _summary: "{text}" is not supported')
    query.summary = "" if text == "false" else text


def _total(_: Query, text: str) -> None:
    """Check the value, which changes nothing: observed, `Bundle.total` is always filled in."""
    if text not in ("none", "estimate", "accurate"):
        raise SearchError(f'invalid value for _total: "{text}"')


def _page_token(query: Query, text: str) -> None:
    query.page_token = text


_RESULT_PARAMETERS: Mapping[str, Callable[[Query, str], None]] = {
    "_count": _count,
    "_elements": _elements,
    "_sort": _sort,
    "_summary": _summary,
    "_total": _total,
    PAGE_TOKEN: _page_token,
}


def _include(name: str, modifier: str, text: str, known: StoreParameters) -> Include:
    if modifier not in ("", "iterate"):
        raise SearchError(f'modifier "{modifier}" is not supported for {name}')
    source, _, rest = text.partition(":")
    code, _, target = rest.partition(":")
    is_reverse = name == "_revinclude"
    is_wildcard = text == "*" and not is_reverse
    if not is_wildcard:
        if source not in resource_types():
            raise SearchError(f'invalid value for {name}: "{text}" names no resource type of R4')
        found = known.of(source).get(code)
        if code != "*" and (found is None or found.type != "reference"):
            raise SearchError(f'invalid value for {name}: "{code}" is not a reference of {source}')
        if target and target not in resource_types():
            raise SearchError(f'invalid value for {name}: "{target}" is not a resource type of R4')
    return Include(
        "" if is_wildcard else source,
        "" if code == "*" else code,
        target,
        modifier == "iterate",
        is_reverse,
    )
