"""Property values of a preview, without secrets.

Secrets and unknowns become members of `Special` as soon as a preview is read, so that no later
step can print them by mistake.
"""

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | Special | None"
Path: TypeAlias = tuple[str | int, ...]


class Special(Enum):
    """A placeholder of a value in a preview; people read the member's value."""

    ABSENT = "not set"
    SECRET = "a secret"  # noqa: S105 - the words shown for one
    UNKNOWN = "known after the deployment"
    FILE = "a file"


# Pulumi's wire format marks special objects with this key; its value names their kind.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_FILES = {"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"}
_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
# One sentinel a type: string, bool, number, array, asset, archive, object.
_UNKNOWNS = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
_BLINDED = "[secret]"

# Names of properties that hold a secret, even if the program does not mark it as one.
_SECRET_NAMES = re.compile(
    r"passw(or)?d|passphrase|secret|credential|private_?key|api_?key|(^|access|auth|bearer)_?token",
    re.IGNORECASE,
)
# Free text that people write about patients into resources: the text of a view may name one.
_FREE_TEXT = {"query", "content", "source", "body", "definitionBody", "defaultQuery"}
_MAX_LENGTH = 120


def clean(value: Json) -> Value:
    """Return `value` without secrets: they, unknowns and files become `Special` members."""
    if isinstance(value, str):
        if value in _UNKNOWNS:
            return Special.UNKNOWN
        # Anywhere in the text: a secret inside a rendered document blinds that document.
        return Special.SECRET if _BLINDED in value else value
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        signature = value.get(_SIGNATURE)
        if signature is None:
            return {key: clean(item) for key, item in value.items() if key != "__defaults"}
        if signature in _FILES:
            return Special.FILE
        # An unknown kind may hold a secret: treat it as one.
        return clean(value.get("id")) if signature == _REFERENCE else Special.SECRET
    return value


_STEP = re.compile(r"""\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.\[\]]+)""")


def parse_path(text: str) -> Path:
    """Split a property path of Pulumi, such as `configs[0].topic` or `labels["a.b"]`."""
    steps: list[str | int] = []
    for index, quoted, plain in _STEP.findall(text):
        steps.append(int(index) if index else (quoted.replace('\\"', '"') if quoted else plain))
    return tuple(steps)


def format_path(path: Path) -> str:
    """Write a path as Pulumi does."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.search(r'[.\[\]"]', step):
            text += '["' + step.replace('"', '\\"') + '"]'
        else:
            text += f".{step}" if text else step
    return text


def lookup(value: Value, path: Path) -> Value:
    """Return the value at `path`; a secret or unknown above it is returned instead."""
    for step in path:
        if value is Special.SECRET or value is Special.UNKNOWN:
            return value
        value = _part(value, step)
    return value


def _part(value: Value, step: str | int) -> Value:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, Special.ABSENT)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return Special.ABSENT


def leaves(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield every single value with its path; empty lists and objects count as values."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value and any(isinstance(i, dict | list) for i in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def is_private(path: Path) -> bool:
    """Return whether the name of a property says that its value is a secret."""
    return any(isinstance(step, str) and _SECRET_NAMES.search(step) for step in path)


def show(path: Path, value: Value, *, hide: bool = False) -> str | Special:
    """Return the text to print for a property's value, or the `Special` that stands for it.

    Args:
        path: of the value; some names are never printed
        value: the value, as `clean` returned it
        hide: print no value, only its size
    """
    if isinstance(value, Special):
        return value
    if is_private(path):
        return Special.SECRET
    text = value if isinstance(value, str) else json.dumps(_printable(value), ensure_ascii=False)
    names = [step for step in path if isinstance(step, str)]
    if hide or (names and names[-1] in _FREE_TEXT):
        return f"({len(text)} characters, not shown)"
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}... ({len(text)} characters)"


def _printable(value: Value) -> Json:
    if isinstance(value, Special):
        return f"({value.value})"
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {
            key: f"({Special.SECRET.value})" if _SECRET_NAMES.search(key) else _printable(item)
            for key, item in value.items()
        }
    return value
