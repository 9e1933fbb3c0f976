"""Readers of values that are not validated yet: a value of the wrong type reads as empty."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import rules
from program.config.errors import ConfigError, show

Raw = Mapping[str, Any]


def items(value: object) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def maps(value: object) -> list[tuple[int, dict[str, Any]]]:
    """Return the maps in a list, each with its index."""
    return [(index, item) for index, item in enumerate(items(value)) if isinstance(item, dict)]


def text(value: object) -> str:
    """Return a text, or an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """Return the texts of a list; an item of another type counts as an empty text."""
    return [text(item) for item in items(value)]


def twice(values: Sequence[str], key: str, field: str, hint: str) -> Iterator[ConfigError]:
    """Yield an error for each repeated value of a list whose values must differ.

    Args:
        values: the values; empty ones are skipped
        key: the key of the list
        field: follows the index in the key of a value, such as `.name`
        hint: what to do
    """
    for index, value, first in rules.repeated(values):
        if value:
            message = f"is the same as {key}[{first}]{field}. Allowed: each once. {hint}"
            yield ConfigError(f"{key}[{index}]{field}", message, show(value))
