"""Filters of the lists of consent stores.

Documented (the references of the `list` methods): the fields, `Metadata("KEY")`,
`HasMetadata("KEY")`, and that `=` searches a text within a field. Inferred (conformance:
consent-filter-text): names in camel case are those in snake case, and the texts of refusals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator.core.discovery import snake_case
from emulator.core.list_filter.fields import Boolean, Enumeration, FieldType, Test, Timestamp
from emulator.core.list_filter.table import FieldTable, Filter

_EQUALS = frozenset({"="})


class _Search:
    """A text that is searched within a field."""

    operators = _EQUALS

    def test(self, _sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        return lambda found: any(wanted in str(each) for each in found)


def _has_metadata(arguments: Sequence[str]) -> Filter:
    if len(arguments) != 1:
        raise ValueError('takes a key, as in HasMetadata("locale")')
    [key] = arguments
    return lambda resource: key in resource.get("metadata", {})


def _metadata(arguments: Sequence[str], operator: str, value: str) -> Filter:
    if len(arguments) != 1 or operator not in _EQUALS:
        raise ValueError('takes a key, and = compares its value, as in Metadata("locale")="de"')
    [key] = arguments
    return lambda resource: value in resource.get("metadata", {}).get(key, "")


_TEXT = _Search()
_TIME = Timestamp(operators=frozenset({"=", "<", "<=", ">", ">="}))
_STATE = Enumeration(("ACTIVE", "ARCHIVED", "REVOKED", "DRAFT", "REJECTED"), operators=_EQUALS)
_FUNCTIONS = {"HasMetadata": _has_metadata}
_COMPARED = {"Metadata": _metadata}

_DEFINITIONS = FieldTable(
    usage='the field is category, as in category="REQUEST"',
    fields={"category": Enumeration(("RESOURCE", "REQUEST"), operators=_EQUALS)},
)
_ARTIFACTS = FieldTable(
    usage=(
        'fields are user_id, consent_content_version, Metadata("KEY") and HasMetadata("KEY"), as in'
        ' user_id="user123" AND Metadata("locale")="de"'
    ),
    fields={"user_id": _TEXT, "consent_content_version": _TEXT},
    functions=_FUNCTIONS,
    compared_functions=_COMPARED,
)
_CONSENTS = FieldTable(
    usage=(
        'fields are user_id, consent_artifact, state, revision_create_time, Metadata("KEY") and'
        ' HasMetadata("KEY"), as in user_id="user123" AND state="ACTIVE"'
    ),
    fields={
        "user_id": _TEXT,
        "consent_artifact": _TEXT,
        "state": _STATE,
        "revision_create_time": _TIME,
    },
    functions=_FUNCTIONS,
    compared_functions=_COMPARED,
)
_MAPPINGS = FieldTable(
    usage=(
        "fields are data_id, user_id, archived and archive_time, as in"
        ' user_id="user123" AND archived=false'
    ),
    fields={
        "data_id": _TEXT,
        "user_id": _TEXT,
        "archived": Boolean(_EQUALS),
        "archive_time": _TIME,
    },
)


def _by_both_names(table: FieldTable) -> Callable[[str], Filter]:
    """Return the compiler of a table whose fields have names in snake case and in camel case."""
    both: dict[str, FieldType] = {}
    for name, type_ in table.fields.items():
        first, *others = name.split("_")
        both[name] = both[first + "".join(map(str.capitalize, others))] = type_
    known = replace(table, fields=both)

    def compile_(text: str) -> Filter:
        matches = known.compile(text)
        return lambda resource: matches(_with_names(resource))

    return compile_


def _with_names(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a resource with each field under both names."""
    snake = {snake_case(name): value for name, value in resource.items()}
    return {**resource, **snake}


definitions = _by_both_names(_DEFINITIONS)
artifacts = _by_both_names(_ARTIFACTS)
consents = _by_both_names(_CONSENTS)
mappings = _by_both_names(_MAPPINGS)
