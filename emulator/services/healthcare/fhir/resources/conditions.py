"""Conditions of writes: searches by identifier, and versions that headers name.

Documented (the reference of `conditionalUpdate` and its like): conditions search by identifier
alone, `identifier=SYSTEM|VALUE` or `identifier=VALUE`. Inferred (conformance:
fhir-condition-text): another parameter is refused.
"""

import re
from collections.abc import Sequence
from sqlite3 import Connection
from urllib.parse import parse_qsl

from emulator.core.conditions import Condition, and_, or_
from emulator.services.healthcare.fhir.refusals import (
    invalid_query,
    multiple_matches,
    precondition_failed,
)
from emulator.services.healthcare.fhir.resources.version import Version

IDENTIFIER = "identifier"
_ESCAPED = re.compile(r"\\([,|$\\])")
_OR = re.compile(r"(?<!\\),")
_BAR = re.compile(r"(?<!\\)\|")
_ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*')


def parse_query(text: str) -> list[tuple[str, str]]:
    """Return the parameters of a query in a header or in a bundle, `?` or not before it."""
    return parse_qsl(text.partition("?")[2] if "?" in text else text, keep_blank_values=True)


def find_by_identifier(
    connection: Connection, store: str, type_: str, query: Sequence[tuple[str, str]]
) -> Version | None:
    """Return the resource that a condition matches; None if there is none.

    Raises:
        OutcomeError: 400 for a condition that is not by identifier, 412 for several matches
    """
    if not query:
        raise invalid_query("a conditional request needs the parameter identifier")
    if wrong := [name for name, _ in query if name != IDENTIFIER]:
        raise invalid_query(
            f"conditional requests support only the search parameter identifier, not {wrong[0]!r}"
        )
    wanted = and_(*(or_(*map(_token, _OR.split(value))) for _, value in query))
    rows = connection.execute(
        "SELECT * FROM fhir_resources WHERE number IN (SELECT resource FROM fhir_identifiers"  # noqa: S608
        f" WHERE store = ? AND type = ? AND {wanted.sql}) ORDER BY number LIMIT 2",
        (store, type_, *wanted.parameters),
    ).fetchall()
    if len(rows) > 1:
        raise multiple_matches(f"the condition matches several resources of the type {type_}")
    return Version.of(rows[0]) if rows else None


def _token(text: str) -> Condition:
    system, *rest = [_ESCAPED.sub(r"\1", part) for part in _BAR.split(text, maxsplit=1)]
    if not rest:
        if not system:
            raise invalid_query("the parameter identifier needs a value: SYSTEM|VALUE or VALUE")
        return Condition("value = ?", (system,))
    [value] = rest
    if not value:
        return Condition("system = ?", (system,))
    return and_(Condition("value = ?", (value,)), Condition("system = ?", (system,)))


def version_id_of(etag: str) -> str:
    """Return the version in an entity tag, `W/"MTY4..."`; the text itself if it is none."""
    match = _ETAG.fullmatch(etag)
    return match[1] if match else etag.strip()


def check_if_match(current: Version | None, if_match: str) -> None:
    """Refuse a write whose header If-Match names another version than the current one.

    Raises:
        OutcomeError: 412
    """
    if not if_match:
        return
    if current is None or current.version_id not in map(version_id_of, if_match.split(",")):
        raise precondition_failed(f"the current version is not {if_match}")


def check_if_none_match(current: Version | None, if_none_match: str) -> None:
    """Refuse an update whose header If-None-Match names the current version, or any by `*`.

    Raises:
        OutcomeError: 412
    """
    if current is None or not if_none_match:
        return
    if if_none_match.strip() == "*" or current.version_id == version_id_of(if_none_match):
        raise precondition_failed(f"{current.name} exists, and If-None-Match is {if_none_match}")
