"""Filters of the element `meta` of resources, for rollbacks.

Documented (`metadataFilter` of `RollbackFhirResourceFilteringFields`): the language of
https://google.aip.dev/160 without the operator `:`, and the functions. Inferred (conformance:
fhir-rollback-filter): fields are named as members of `meta`, a Unix timestamp has seconds, and the
texts of refusals.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from emulator.core.list_filter.fields import Value
from emulator.core.list_filter.table import FieldTable, Filter
from emulator.services.healthcare.fhir import periods

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_VALUES = ("valueInstant", "valueDateTime", "valueDate", "valueInteger", "valueDecimal")


def _tag(arguments: Sequence[str], operator: str, code: str) -> Filter:
    if len(arguments) != 1 or operator != "=":
        raise ValueError('takes a system, as in tag("urn:system") = "code"')
    return lambda meta: any(
        tag.get("system") == arguments[0] and tag.get("code") == code for tag in meta.get("tag", [])
    )


def _extension_time(arguments: Sequence[str], operator: str, wanted: str) -> Filter:
    usage = 'takes a URL, as in extension_value_ts("urn:extension") > 1700000000'
    if len(arguments) != 1 or operator not in _COMPARE:
        raise ValueError(usage)
    try:
        right = float(wanted)
    except ValueError:
        raise ValueError(usage) from None
    compare = _COMPARE[operator]
    return lambda meta: any(compare(left, right) for left in _times(meta, arguments[0]))


def _times(meta: Mapping[str, Any], url: str) -> Iterator[float]:
    """Yield the values of an extension as seconds since 1970."""
    for extension in meta.get("extension", []):
        values = [extension[key] for key in _VALUES if key in extension]
        for value in values if extension.get("url") == url else ():
            if not isinstance(value, str):
                yield float(value)
            elif period := periods.parse(value):
                yield period[0].timestamp()


METADATA = FieldTable(
    usage=(
        'fields are members of meta, tag("SYSTEM") = "CODE" and extension_value_ts("URL"), as in '
        'lastUpdated > "2026-01-31T00:00:00Z" AND tag("urn:system") = "code"'
    ),
    fields={"**": Value(operators=frozenset({"=", "!=", "<", "<=", ">", ">="}))},
    compared_functions={"tag": _tag, "extension_value_ts": _extension_time},
)
