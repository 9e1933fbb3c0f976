"""What answers must look like by a discovery document, apart from the emulator's own checks."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.discovery import document

Schema = Mapping[str, Any]
_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
_FORMATS = {
    "int64": r"-?\d+",
    "uint64": r"\d+",
    "google-datetime": _TIMESTAMP,
    "date-time": _TIMESTAMP,
    "date": r"\d{4}-\d\d-\d\d",
    "google-duration": r"-?\d+(\.\d{1,9})?s",
    "google-fieldmask": r"[\w.]+(,[\w.]+)*",
}
_RANGES = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32)}
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
}
_LOOSE = frozenset({"Operation", "Status"})
"""Messages whose `Any` fields are told by their @type."""
_PACKAGE = "type.googleapis.com/"


def methods(api: str, version: str) -> dict[str, Mapping[str, Any]]:
    """Every method of an API by its id without the API's name."""

    def walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield from node.get("methods", {}).values()
        for below in node.get("resources", {}).values():
            yield from walk(below)

    return {one["id"].removeprefix(f"{api}."): one for one in walk(document(api, version))}


def faults(api: str, version: str, message: str, value: object) -> list[str]:
    """Say where a value is not of a message: unknown fields, wrong types, formats, enum members.

    A message that the document gives a `kind` must say that it is one.

    Returns:
        A line for each fault, with its path; empty if there is none.
    """
    return list(_Reader(api, version).message(message, value, message))


class _Reader:
    def __init__(self, api: str, version: str) -> None:
        self._schemas: Mapping[str, Schema] = document(api, version)["schemas"]

    def message(self, name: str, value: object, path: str) -> Iterator[str]:
        schema = self._schemas[name]
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no {name}"
            return
        wanted = schema.get("properties", {}).get("kind", {}).get("default")
        if wanted and value.get("kind") != wanted:
            yield f"{path}.kind: {value.get('kind')!r} is not {wanted!r}"
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            below = f"{path}.{key}"
            kind = schema.get("properties", {}).get(key, rest)
            if kind is None:
                yield f"{below}: {name} has no such field"
            else:
                yield from self.value(kind, item, below)
                if name in _LOOSE and isinstance(item, dict) and "@type" in item:
                    yield from self._any(item, below)

    def _any(self, value: dict[str, Any], path: str) -> Iterator[str]:
        """A message that says of itself what it is."""
        kind = str(value["@type"])
        name = kind.rpartition(".")[2]
        if not kind.startswith(_PACKAGE):
            yield f"{path}: {kind} is no type of Google's"
        elif name in self._schemas:
            rest = {key: item for key, item in value.items() if key != "@type"}
            yield from self.message(name, rest, f"{path}<{name}>")

    def value(self, kind: Schema, value: object, path: str) -> Iterator[str]:
        if value is None and kind.get("type") != "any":
            yield f"{path}: null is never answered"
        elif "$ref" in kind:
            yield from self.message(kind["$ref"], value, path)
        elif kind["type"] == "array":
            if not isinstance(value, list):
                yield f"{path}: {value!r} is no list"
                return
            for index, item in enumerate(value):
                yield from self.value(kind["items"], item, f"{path}[{index}]")
        elif kind["type"] == "object":
            yield from self._map(kind, value, path)
        else:
            yield from _scalar(kind, value, path)

    def _map(self, kind: Schema, value: object, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        properties = kind.get("properties", {})
        for key, item in value.items():
            below = properties.get(key, kind.get("additionalProperties"))
            if below is None:
                yield f"{path}.{key}: no such field"
            else:
                yield from self.value(below, item, f"{path}.{key}")


def _scalar(kind: Schema, value: Any, path: str) -> Iterator[str]:
    wanted, form = kind["type"], kind.get("format", "")
    if not _TYPES[wanted](value):
        yield f"{path}: {value!r} is no {wanted}"
    elif "enum" in kind and value not in kind["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(kind['enum'])}"
    elif not _has_form(form, value):
        yield f"{path}: {value!r} is no {form}"


def _has_form(form: str, value: Any) -> bool:
    if form in _FORMATS:
        return re.fullmatch(_FORMATS[form], value) is not None
    if form in _RANGES:
        return value in range(*_RANGES[form])
    return form != "byte" or _is_base64(value)


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True
