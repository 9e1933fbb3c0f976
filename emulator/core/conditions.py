"""Conditions of SQL queries with their parameters, and the folding of text that they compare.

Inferred (conformance: search-name-accents): accents count when texts are compared.
"""

from typing import NamedTuple
from unicodedata import normalize


class Condition(NamedTuple):
    """A part of a WHERE clause.

    Attributes:
        sql: the expression, with `?` for each parameter
        parameters: its values, in order
    """

    sql: str
    parameters: tuple[str | int, ...] = ()


TRUE, FALSE = Condition("1"), Condition("0")


def and_(*conditions: Condition) -> Condition:
    """Return the condition that all of these hold."""
    return _join(" AND ", conditions, TRUE)


def or_(*conditions: Condition) -> Condition:
    """Return the condition that one of these holds."""
    return _join(" OR ", conditions, FALSE)


def _join(operator: str, conditions: tuple[Condition, ...], empty: Condition) -> Condition:
    if len(conditions) < 2:
        return conditions[0] if conditions else empty
    return Condition(
        f"({operator.join(condition.sql for condition in conditions)})",
        tuple(parameter for condition in conditions for parameter in condition.parameters),
    )


def matches_wildcards(column: str, pattern: str) -> Condition:
    """Return the condition that a column matches a pattern of `*` and `?`, or equals it."""
    if "*" in pattern or "?" in pattern:
        return Condition(f"{column} GLOB ?", (pattern.replace("[", "[[]"),))
    return Condition(f"{column} = ?", (pattern,))


def fold(text: str) -> str:
    """Return a text as it is compared without regard to case or to how accents are encoded.

    SQLite's `lower` folds ASCII only, so a folded text is stored beside the text.
    """
    return normalize("NFC", normalize("NFC", text).casefold())
