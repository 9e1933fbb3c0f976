"""Sentences about losses, whose names come from the preview."""

from dataclasses import dataclass

from scripts.preview.model import State
from scripts.preview.names import name, type_name


class Name(str):
    """A part of a sentence that comes from the preview: it is escaped and formatted as code."""

    __slots__ = ()


Sentence = tuple[str, ...]


@dataclass(frozen=True)
class Loss:
    """A resource that would be lost, with its contents."""

    urn: str
    type_name: str
    name: str
    cause: str
    sentence: Sentence
    takes: tuple[State, ...] = ()


def text(sentence: Sentence) -> str:
    """Return a sentence as plain text."""
    return "".join(f"`{part}`" if isinstance(part, Name) else part for part in sentence)


def title(state: State, *, hide: bool) -> Sentence:
    """Return the beginning of a sentence: the type and the name of a resource."""
    what = type_name(state)
    return (f"{what[0].upper()}{what[1:]} ", Name(name(state, hide=hide)))
