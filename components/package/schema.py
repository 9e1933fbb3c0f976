"""The package's schema, made from the components' own classes.

The SDK's host for component packages takes no types of another package's Python SDK, which is what
the stores' nested properties are; those are read from the signatures of the provider's classes.
https://www.pulumi.com/docs/iac/build-with-pulumi/pulumi-schema/
"""

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from components import reference
from components.base import PACKAGE, ArgumentError, Component, former_tokens, token_of
from components.rules import google_provider

Schema = dict[str, Any]

NAME = PACKAGE.partition(":")[0]
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}

_BY_TOKEN = {
    token: component
    for component in reference.COMPONENTS
    for token in (token_of(component), *former_tokens(component))
}


def camel(name: str) -> str:
    """Return a Python name as Pulumi's other languages write it."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def package(version: str) -> Schema:
    """Return the whole schema.

    Args:
        version: The version of the package.
    """
    types: dict[str, Schema] = {}
    resources = {
        token_of(component): _resource(component, args[0], types)
        for component, args in reference.COMPONENTS.items()
    }
    return {
        "name": NAME,
        "displayName": "GCP Healthcare DICOM",
        "version": version,
        "description": "Medical imaging on Google Cloud: Healthcare API, DICOM stores, BigQuery.",
        "language": {"python": {"pyproject": {"enabled": True}}},
        "types": types,
        "resources": resources,
    }


def component_of(token: str) -> type[Component]:
    """Return the component of a type token, which may be that of an earlier version.

    Raises:
        ArgumentError: no component has the token
    """
    if token not in _BY_TOKEN:
        known = ", ".join(map(token_of, reference.COMPONENTS))
        raise ArgumentError(f"{token} is not a component of {NAME}. It has: {known}.")
    return _BY_TOKEN[token]


def _resource(component: type[Component], args: type, types: dict[str, Schema]) -> Schema:
    inputs, required = _properties(args, types)
    aliases = [{"type": token} for token in former_tokens(component)]
    about = inspect.cleandoc(component.__doc__ or "").partition("\n\nInputs:")[0]
    hints = reference.annotations_of(component)
    described = reference.outputs_of(component)
    outputs = {
        camel(name): {"description": meaning, **_output(hints[name])}
        for name, meaning in described.items()
    }
    return {
        "isComponent": True,
        "description": about,
        **({"aliases": aliases} if aliases else {}),
        "inputProperties": inputs,
        "requiredInputs": required,
        "properties": outputs,
        "required": [camel(name) for name in described if not _is_optional(hints[name])],
    }


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def _output(annotation: Any) -> Schema:
    """Return the type of an output: a text, a list of texts, or a map."""
    if _is_optional(annotation):
        [annotation] = (part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is dict:  # of outputs by name
        return {"type": "object", "additionalProperties": {"type": "string"}}
    [inner] = get_args(annotation)
    return _plain(inner, {})


def _properties(args: type, types: dict[str, Schema]) -> tuple[Schema, list[str]]:
    """Return the properties of one of our classes of arguments, and which of them are required."""
    described = reference.arguments_of(args)
    hints = reference.annotations_of(args)
    properties: Schema = {}
    required: list[str] = []
    for field in dataclasses.fields(args):
        properties[camel(field.name)] = {
            **_type(hints[field.name], types),
            "description": described[field.name][2],
        }
        no_default = field.default is field.default_factory is dataclasses.MISSING
        if no_default:
            required.append(camel(field.name))
    return properties, required


def _type(annotation: Any, types: dict[str, Schema]) -> Schema:
    """Return the type of an argument; a plain value must be known when the component is created."""
    if get_origin(annotation) not in (Union, UnionType):
        return {**_plain(annotation, types), "plain": True}
    parts = get_args(annotation)
    is_input = reference.is_input(parts)
    [type_] = reference.plain_types(parts)
    provider_type = not is_input and not dataclasses.is_dataclass(type_) and type_ not in _SCALARS
    return {**_plain(type_, types), **({} if is_input or provider_type else {"plain": True})}


def _plain(type_: Any, types: dict[str, Schema]) -> Schema:
    origin, parts = get_origin(type_), get_args(type_)
    if type_ in _SCALARS:
        return {"type": _SCALARS[type_]}
    if type_ is Any:
        return {"$ref": "pulumi.json#/Any"}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _item(parts[1], types)}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return {"type": "array", "items": _item(parts[0], types)}
    return {"$ref": f"#/types/{_define(type_, types)}"}


def _item(annotation: Any, types: dict[str, Schema]) -> Schema:
    return {key: value for key, value in _type(annotation, types).items() if key != "plain"}


def _define(type_: type, types: dict[str, Schema]) -> str:
    """Add the type of a nested object to the schema; return its token."""
    name = type_.__name__.removesuffix("Args")
    token = f"{PACKAGE}:{name}"
    if token not in types:
        types[token] = {"type": "object"}  # before its properties, which may name it
        if dataclasses.is_dataclass(type_):
            properties, required = _properties(type_, types)
        else:
            properties, required = _of_provider(type_, types)
        types[token] |= {"properties": properties, "required": required}
    return token


def _of_provider(type_: type, types: dict[str, Schema]) -> tuple[Schema, list[str]]:
    """Return the properties of a class of the Google provider, by its maker's signature."""
    module = inspect.getmodule(type_)
    properties: Schema = {}
    required: list[str] = []
    output_only = google_provider.OUTPUT_ONLY.get(type_.__name__, ())
    for name, parameter in inspect.signature(type_).parameters.items():
        if name in output_only:
            continue
        text = str(parameter.annotation)
        nested = re.search(r"\b(\w+Args)\b", text)
        found = re.search(r"\b(str|bool|int|float)\b", text)
        if nested:
            value: Schema = {"$ref": f"#/types/{_define(getattr(module, nested[1]), types)}"}
        elif found:
            value = {
                "type": _SCALARS[{"str": str, "bool": bool, "int": int, "float": float}[found[1]]]
            }
        else:
            value = {"$ref": "pulumi.json#/Any"}
        if "Sequence[" in text:
            value = {"type": "array", "items": value}
        elif "Mapping[" in text:
            value = {"type": "object", "additionalProperties": value}
        properties[camel(name)] = value
        if parameter.default is inspect.Parameter.empty:
            required.append(camel(name))
    return properties, required
