"""Bodies checked against Google's discovery document of the Healthcare API.

google-api-python-client bundles the document, so no copy of it is kept here.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache

from emulator.errors import ApiError, invalid_argument
from emulator.http import VERSIONS

_DOCUMENTS = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
_INTEGER = re.compile(r"-?[0-9]+")


@cache
def document(version: str) -> Mapping[str, Any]:
    """The discovery document of `v1` or `v1beta1`."""
    parsed: dict[str, Any] = json.loads((_DOCUMENTS / f"healthcare.{version}.json").read_bytes())
    return parsed


@cache
def _methods(version: str) -> list[tuple[str, re.Pattern[str], str]]:
    """HTTP method, path and id of every method, those with a longer path first."""
    found: list[tuple[str, re.Pattern[str], str]] = []
    pending = [document(version)]
    while pending:
        node = pending.pop()
        pending += node.get("resources", {}).values()
        for method in node.get("methods", {}).values():
            path = re.escape(method.get("flatPath", method["path"]))
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", path)
            found.append((method["httpMethod"], re.compile(f"/{pattern}"), method["id"]))
    return sorted(found, key=lambda one: -len(one[1].pattern))


def method_of(http_method: str, path: str) -> str | None:
    """The id of the Healthcare API method that a request calls; None if it calls none.

    Such as `healthcare.projects.locations.datasets.deidentify`.
    """
    version = path.split("/")[1] if path.count("/") > 1 else ""
    if version not in VERSIONS:
        return None
    matches = (m for verb, p, m in _methods(version) if verb == http_method and p.fullmatch(path))
    return next(matches, None)


def check(version: str, schema: str, body: object) -> None:
    """Refuse a body that is not of the schema.

    Raises:
        ApiError: 400, naming the field at fault with its path, as Google words it.
    """
    _object(document(version)["schemas"], schema, body, "")


def _object(schemas: Mapping[str, Any], name: str, body: object, path: str) -> None:
    if not isinstance(body, dict):
        raise _bad_value(path, name, body)
    properties = schemas[name].get("properties", {})
    for key, value in body.items():
        if key not in properties:
            where = f" at '{path}'" if path else ""
            raise invalid_argument(
                f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.'
            )
        _value(schemas, properties[key], value, f"{path}.{key}" if path else key)


def _value(schemas: Mapping[str, Any], kind: Mapping[str, Any], value: object, path: str) -> None:
    if value is None:
        return
    if "$ref" in kind:
        _object(schemas, kind["$ref"], value, path)
    elif kind["type"] == "array":
        if not isinstance(value, list):
            raise _bad_value(path, "list", value)
        for index, item in enumerate(value):
            _value(schemas, kind["items"], item, f"{path}[{index}]")
    elif kind["type"] == "object":
        if not isinstance(value, dict):
            raise _bad_value(path, "map", value)
        for key, item in value.items():
            _value(schemas, kind.get("additionalProperties", _ANY), item, f"{path}[{key}]")
    else:
        _scalar(kind, value, path)


_ANY: Mapping[str, Any] = {"type": "any"}


def _scalar(kind: Mapping[str, Any], value: object, path: str) -> None:
    wanted = kind["type"]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "any": True,
        "boolean": isinstance(value, bool),
        "integer": _is_integer(value),
        "number": number,
        "string": isinstance(value, str) or (number and "format" in kind),
    }[wanted]
    if not fits or (str(kind.get("format", "")).endswith("int64") and not _is_integer(value)):
        raise _bad_value(path, str(kind.get("format", wanted)), value)
    if "enum" in kind and value not in kind["enum"]:
        allowed = ", ".join(item for item in kind["enum"] if not item.endswith("_UNSPECIFIED"))
        raise invalid_argument(
            f"Invalid value at '{path}': {json.dumps(value)}. Allowed: {allowed}."
        )


def _is_integer(value: object) -> bool:
    # int64 values travel as strings; 3.0 is an integer to JSON.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, str | int) and bool(_INTEGER.fullmatch(str(value)))


def _bad_value(path: str, wanted: str, value: object) -> ApiError:
    shown = json.dumps(value)[:80]
    return invalid_argument(f"Invalid value at '{path}' ({wanted}): {shown}")
