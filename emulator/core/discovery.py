"""Google's discovery documents: messages, their normal form, and methods.

google-api-python-client bundles the documents, so no copy of them is kept here. Complaints are
worded as Google's front end words them, with the same `google.rpc.BadRequest` as detail.

Inferred (conformance: bad-value-text): how much of an invalid value an error repeats.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache

from emulator.core.errors import ApiError, bad_field

DOCUMENTS = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_SERVED = (
    ("healthcare", "v1"), ("healthcare", "v1beta1"), ("pubsub", "v1"), ("cloudkms", "v1"),
    ("logging", "v2"), ("monitoring", "v3"), ("iam", "v1"), ("iamcredentials", "v1"),
    ("serviceusage", "v1"), ("serviceusage", "v1beta1"), ("cloudresourcemanager", "v1"),
    ("cloudresourcemanager", "v3"), ("bigquery", "v2"), ("storage", "v1"),
    ("secretmanager", "v1"), ("artifactregistry", "v1"),
    ("compute", "v1"), ("run", "v2"), ("iap", "v1"), ("dataflow", "v1b3"),
)  # fmt: skip
_ROOTS = {"compute": "compute/v1"}
"""API -> what all of its paths have, where that is not the version alone."""
_MEDIA = "(?:/resumable)?(?:/upload)?(?:/download)?"
"""Prefixes of the paths of an API with uploads and downloads."""

_ROOTLESS = {"b": "/storage/v1", "projects": "/bigquery/v2"}
"""First part of a path that lacks its API's root -> the root."""

Schema = Mapping[str, Any]


@cache
def document(api: str, version: str) -> Mapping[str, Any]:
    """Return the discovery document of one version of an API, such as `healthcare`, `v1`."""
    parsed: dict[str, Any] = json.loads((DOCUMENTS / f"{api}.{version}.json").read_bytes())
    return parsed


@cache
def services() -> frozenset[str]:
    """Return the Google services that have a discovery document, as Service Usage names them."""
    return frozenset(
        f"{file.name.partition('.')[0]}.googleapis.com" for file in DOCUMENTS.glob("*.json")
    )


def method_of(http_method: str, path: str) -> str | None:
    """Return the id of the method that a request calls; None if it calls none.

    Such as `healthcare.projects.locations.datasets.deidentify`.
    """
    path = whole_path(path)
    for api, version in _SERVED:
        # A cheap look first: the documents have hundreds of methods.
        if f"/{_ROOTS.get(api, version)}/" in path and (
            method := method_in(api, version, http_method, path)
        ):
            return method
    return None


def whole_path(path: str) -> str:
    """Return a path with its API's root, which it may lack.

    Google's Node libraries take STORAGE_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST for addresses of
    the APIs with their roots, the other libraries for addresses of a host.
    """
    return _ROOTLESS.get(path.removeprefix("/").partition("/")[0], "") + path


@cache
def method_ids() -> frozenset[str]:
    """Return the ids of all methods of the served APIs."""
    return frozenset(method for served in _SERVED for _, _, method in _methods(*served))


def method_in(api: str, version: str, http_method: str, path: str) -> str | None:
    """Return the id of the method of one API that a request calls; None if it calls none."""
    for verb, pattern, method in _methods(api, version):
        if verb == http_method and pattern.fullmatch(path):
            return method
    return None


@cache
def _methods(api: str, version: str) -> list[tuple[str, re.Pattern[str], str]]:
    """HTTP method, path and id of every method, those with a longer path first."""
    found: list[tuple[str, re.Pattern[str], str]] = []
    root = document(api, version)["servicePath"]
    before = f"{_MEDIA}/{re.escape(root)}" if root else "/"
    pending = [document(api, version)]
    while pending:
        node = pending.pop()
        pending += node.get("resources", {}).values()
        for method in node.get("methods", {}).values():
            path = re.escape(method.get("flatPath", method["path"]))
            # Names of objects hold slashes.
            path = re.sub(r"\\{\w*[oO]bject\\}", ".+", path)
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", path)
            found.append((method["httpMethod"], re.compile(before + pattern), method["id"]))
    return sorted(found, key=lambda one: -len(one[1].pattern))


_BOOLEAN = {"type": "boolean"}
_UNDOCUMENTED: Mapping[str, Mapping[str, Schema]] = {
    "healthcare": {
        "FhirStore": {"enableHistoryImport": _BOOLEAN},
        "NotificationConfig": {
            "sendFullResource": _BOOLEAN,
            "sendPreviousResourceOnDelete": _BOOLEAN,
        },
    }
}
"""Fields that the Google provider sends, and the service takes, though no document has them."""


class Api:
    """The messages of one version of an API."""

    def __init__(self, name: str, version: str) -> None:
        self._package = f"type.googleapis.com/google.cloud.{name}.{version}"
        undocumented = _UNDOCUMENTED.get(name, {})
        self._schemas: Mapping[str, Schema] = {
            message: {
                **schema,
                "properties": {**schema.get("properties", {}), **undocumented.get(message, {})},
            }
            for message, schema in document(name, version)["schemas"].items()
        }

    def fields(self, message: str) -> frozenset[str]:
        """Return the names of a message's fields."""
        return frozenset(self._schemas[message].get("properties", {}))

    def field(self, message: str, field: str) -> Schema | None:
        """Return the schema of a message's field, or None if there is no such field."""
        found: Schema | None = self._schemas[message].get("properties", {}).get(field)
        return found

    def check(self, message: str, body: object, root: str = "") -> None:
        """Raise an error for a body that is not a valid message, and normalise its names.

        https://protobuf.dev/programming-guides/json/: null is absent, snake case is taken.

        Args:
            message: The name of the schema.
            body: What was sent.
            root: The request's field that the body stands for, such as `dicom_store`; empty if the
                body is the request itself.

        Raises:
            ApiError: 400, naming the field at fault with its path.
        """
        self._check_message(message, body, root)

    def normal(self, message: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message as the API writes it: no defaults, nulls or fields of other versions.

        https://protobuf.dev/programming-guides/json/
        """
        properties = self._schemas[message].get("properties", {})
        values = {
            key: self._normal_value(properties[key], value)
            for key, value in body.items()
            if key in properties and value is not None
        }
        return {key: v for key, v in values.items() if not _is_default(properties[key], v)}

    def _normal_value(self, schema: Schema, value: Any) -> Any:
        if "$ref" in schema and isinstance(value, Mapping):
            return self.normal(schema["$ref"], value)
        if schema.get("type") == "array" and isinstance(value, list):
            return [self._normal_value(schema["items"], item) for item in value]
        if schema.get("type") == "integer":
            return int(value)  # "3" and 3.0 are integers too
        return value

    def _check_message(self, name: str, body: object, path: str) -> None:
        if not isinstance(body, dict):
            raise _bad_value(path, f"{self._package}.{name}", body)
        properties = self._schemas[name].get("properties", {})
        for key in [one for one in body if one not in properties and camel_case(one) in properties]:
            body[camel_case(key)] = body.pop(key)
        for key, value in body.items():
            if key not in properties:
                where = f" at '{path}'" if path else ""
                raise bad_field(
                    path,
                    f'Invalid JSON payload received. Unknown name "{key}"{where}: '
                    "Cannot find field.",
                )
            if value is not None:
                self._check_value(properties[key], value, _below(path, key))
        for key in [key for key, value in body.items() if value is None]:
            del body[key]

    def _check_value(self, schema: Schema, value: object, path: str) -> None:
        if "$ref" in schema:
            self._check_message(schema["$ref"], value, path)
        elif schema["type"] == "array":
            if not isinstance(value, list):
                raise _bad_value(path, "list", value)
            for index, item in enumerate(value):
                self._check_value(schema["items"], item, f"{path}[{index}]")
        elif schema["type"] == "object":
            if not isinstance(value, dict):
                raise _bad_value(path, "map", value)
            for index, item in enumerate(value.values()):
                below = schema.get("additionalProperties", {"type": "any"})
                self._check_value(below, item, f"{path}[{index}].value")
        else:
            self._check_scalar(schema, value, path)

    def _check_scalar(self, schema: Schema, value: object, path: str) -> None:
        wanted, form = schema["type"], str(schema.get("format", ""))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {
            "any": True,
            "boolean": isinstance(value, bool),
            "integer": _is_integer(value, 32),
            "number": number,
            "string": isinstance(value, str) or (number and form.endswith("int64")),
        }[wanted]
        if not fits or (form.endswith("int64") and not _is_integer(value, 64)):
            raise _bad_value(path, _TYPES.get(form) or _TYPES[wanted], value)
        if "enum" in schema and value not in schema["enum"]:
            allowed = ", ".join(item for item in schema["enum"] if not _unspecified(item))
            raise _bad_value(path, f"one of {allowed}", value)


@cache
def api(name: str, version: str) -> Api:
    """Return the messages of one version of an API."""
    return Api(name, version)


_TYPES = {
    "any": "any",
    "boolean": "TYPE_BOOL",
    "integer": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "uint64": "TYPE_UINT64",
    "number": "TYPE_DOUBLE",
    "string": "TYPE_STRING",
}


def _below(path: str, key: str) -> str:
    """Return the path of a field; the parts are written as in the protocol buffer."""
    name = snake_case(key)
    return f"{path}.{name}" if path else name


def snake_case(name: str) -> str:
    """`timeZone` as `time_zone`."""
    return re.sub("([A-Z])", lambda match: f"_{match[0].lower()}", name)


def camel_case(name: str) -> str:
    """Return `timeZone` for `time_zone`; a name in camel case stays."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def _is_default(schema: Schema, value: Any) -> bool:
    if "$ref" in schema:
        return False  # an empty message differs from a missing one
    if "enum" in schema and _unspecified(str(value)):
        return True
    return value in ("", [], {}) or value is False or (value == 0 and not isinstance(value, bool))


def _unspecified(value: str) -> bool:
    return value.endswith("_UNSPECIFIED")


def _is_integer(value: object, bits: int) -> bool:
    """Whether a value is an integer of so many bits, with a sign or without."""
    # int64 values travel as strings; 3.0 is an integer to JSON.
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            return False
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    whole = isinstance(value, int) or value.is_integer()
    return whole and -(2 ** (bits - 1)) <= value < 2**bits


def _bad_value(path: str, wanted: str, value: object) -> ApiError:
    return bad_field(path, f"Invalid value at '{path}' ({wanted}), {json.dumps(value)[:80]}")
