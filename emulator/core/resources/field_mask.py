"""Field masks: which fields of a resource an update changes (https://google.aip.dev/161).

A path may lead into messages and maps: `push_config.push_endpoint` changes the endpoint alone.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.discovery import Api, camel_case
from emulator.core.errors import ApiError, invalid_argument

Json = dict[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldMask:
    """Paths of fields.

    Attributes:
        paths: each from the outermost field to the innermost, in camel case
    """

    paths: tuple[Path, ...]

    @classmethod
    def parse(cls, text: str, messages: Api, message: str) -> "FieldMask":
        """Read a mask such as `labels,push_config.push_endpoint`, in snake case or camel case.

        Args:
            text: the mask; empty for none
            messages: the messages of the API
            message: the name of the resource's message

        Raises:
            ApiError: 400 for a path below a field that has no fields
        """
        words = [word.strip() for word in text.split(",")]
        return cls(tuple(_path(word, messages, message) for word in words if word))

    @property
    def fields(self) -> frozenset[str]:
        """The outermost fields."""
        return frozenset(path[0] for path in self.paths)

    def outside(self, fields: Collection[str]) -> list[str]:
        """Return the outermost fields of the mask that are not among some fields."""
        return sorted(self.fields - frozenset(fields))

    def apply(self, resource: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
        """Return a resource with the fields of the mask taken from a request.

        Args:
            resource: the resource before the update
            given: the body of the request; what it leaves out is cleared
        """
        changed: Json = copy.deepcopy({**resource})
        for path in self.paths:
            _set(changed, path, _get(given, path))
        return changed


def _path(word: str, messages: Api, message: str) -> Path:
    """Return the path that a word names; keys of maps stay as they are written."""
    path: list[str] = []
    schema: Mapping[str, Any] | None = {"$ref": message}
    for part in word.split("."):
        if schema is None or not part:
            raise _bad_path(word)
        if "$ref" not in schema:
            path.append(part)
            schema = None
            continue
        path.append(camel_case(part))
        schema = messages.field(schema["$ref"], path[-1])
        if schema is None and len(path) > 1:
            raise _bad_path(word)
        if schema is not None and "$ref" not in schema and "additionalProperties" not in schema:
            schema = None
    return tuple(path)


def _bad_path(word: str) -> ApiError:
    return invalid_argument(f"Invalid update_mask provided: {word} is not a field.")


def _get(body: Any, path: Path) -> Any:
    for part in path:
        body = body.get(part) if isinstance(body, Mapping) else None
    return body


def _set(body: Json, path: Path, value: Any) -> None:
    *outer, last = path
    for part in outer:
        if not isinstance(body.get(part), dict):
            if value is None:
                return
            body[part] = {}
        body = body[part]
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value
