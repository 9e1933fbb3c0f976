"""Validation of responses by a discovery document, separate from the emulator's checks."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.core.discovery import document

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
            yield f"{path}: {value!r} is not of {name}"
            return
        wanted = schema.get("properties", {}).get("kind", {}).get("default")
        if wanted and value.get("kind") != wanted:
            yield f"{path}.kind: {value.get('kind')!r} is not {wanted!r}"
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            below = f"{path}.{key}"
            field = schema.get("properties", {}).get(key, rest)
            if field is None:
                yield f"{below}: {name} has no such field"
            else:
                yield from self.value(field, item, below)
                if name in _LOOSE and isinstance(item, dict) and "@type" in item:
                    yield from self._any(item, below)

    def _any(self, value: dict[str, Any], path: str) -> Iterator[str]:
        """A message that says of itself what it is."""
        type_url = str(value["@type"])
        name = type_url.rpartition(".")[2]
        if not type_url.startswith(_PACKAGE):
            yield f"{path}: {type_url} is not a type of Google's"
        elif name in self._schemas:
            rest = {key: item for key, item in value.items() if key != "@type"}
            yield from self.message(name, rest, f"{path}<{name}>")

    def value(self, schema: Schema, value: object, path: str) -> Iterator[str]:
        if value is None and schema.get("type") != "any":
            yield f"{path}: null is never answered"
        elif "$ref" in schema:
            yield from self.message(schema["$ref"], value, path)
        elif schema["type"] == "array":
            if not isinstance(value, list):
                yield f"{path}: {value!r} is not a list"
                return
            for index, item in enumerate(value):
                yield from self.value(schema["items"], item, f"{path}[{index}]")
        elif schema["type"] == "object":
            yield from self._map(schema, value, path)
        else:
            yield from _scalar(schema, value, path)

    def _map(self, schema: Schema, value: object, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is not an object"
            return
        properties = schema.get("properties", {})
        for key, item in value.items():
            below = properties.get(key, schema.get("additionalProperties"))
            if below is None:
                yield f"{path}.{key}: no such field"
            else:
                yield from self.value(below, item, f"{path}.{key}")


def _scalar(schema: Schema, value: Any, path: str) -> Iterator[str]:
    wanted, form = schema["type"], schema.get("format", "")
    if not _TYPES[wanted](value):
        yield f"{path}: {value!r} is not of type {wanted}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(schema['enum'])}"
    elif not _has_form(form, value):
        yield f"{path}: {value!r} is not of format {form}"


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
