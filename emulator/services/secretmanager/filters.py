"""Filters of lists of secrets and versions.

Documented: https://cloud.google.com/secret-manager/docs/filtering. Names of fields may be written
in snake case or camel case.
"""

from collections.abc import Mapping
from typing import Any

from emulator.core.discovery import snake_case
from emulator.core.list_filter.fields import Enumeration, FieldType, Timestamp, Value
from emulator.core.list_filter.grammar import AND, NOT, OR, SEQUENCE
from emulator.core.list_filter.table import FieldTable

_CONNECTIVES = frozenset({AND, NOT, OR, SEQUENCE})


def _spelled(fields: Mapping[str, FieldType]) -> dict[str, FieldType]:
    return {name: type_ for field, type_ in fields.items() for name in (field, snake_case(field))}


SECRETS = FieldTable(
    usage="fields are those of a secret, as in name:tls AND labels.team=imaging",
    fields=_spelled(
        {
            "name": Value(),
            "createTime": Timestamp(),
            "expireTime": Timestamp(),
            "labels": Value(),
            "labels.*": Value(),
            "annotations.*": Value(),
            "replication.**": Value(),
            "rotation.**": Value(),
            "topics.name": Value(),
            "versionAliases.*": Value(),
        }
    ),
    connectives=_CONNECTIVES,
)
VERSIONS = FieldTable(
    usage='fields are those of a version, as in state:ENABLED AND create_time>"2026-01-31"',
    fields=_spelled(
        {
            "name": Value(),
            "createTime": Timestamp(),
            "destroyTime": Timestamp(),
            "state": Enumeration(("DISABLED", "DESTROYED", "ENABLED"), frozenset({"=", "!=", ":"})),
        }
    ),
    connectives=_CONNECTIVES,
)


def filterable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource with its fields under both spellings of their names."""
    return {**{snake_case(field): value for field, value in resource.items()}, **resource}
