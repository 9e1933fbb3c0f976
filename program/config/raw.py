"""Reading values that nobody has checked yet: what is not of the right type reads as empty."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import rules
from components.problems import Problem, show

Raw = Mapping[str, Any]


def items(value: object) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def maps(value: object) -> list[tuple[int, dict[str, Any]]]:
    """The maps in a list, each with its place."""
    return [(place, item) for place, item in enumerate(items(value)) if isinstance(item, dict)]


def text(value: object) -> str:
    """A text, or an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The texts of a list; an item that is none keeps its place as an empty one."""
    return [text(item) for item in items(value)]


def twice(values: Sequence[str], key: str, field: str, cure: str) -> Iterator[Problem]:
    """Problems of a list whose values must differ.

    Args:
        values: The values, by their places; empty ones are passed over.
        key: The key of the list.
        field: What follows the place in the key of a value, such as `.name`.
        cure: What to do about it.
    """
    for index, value, first in rules.repeated(values):
        if value:
            complaint = f"is the same as {key}[{first}]{field}. Allowed: each once. {cure}"
            yield Problem(f"{key}[{index}]{field}", complaint, show(value))
