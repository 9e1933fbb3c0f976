"""The package's schema, made from the components' own classes.

The SDK's host for component packages takes no types of another package's Python SDK, which is what
the stores' nested properties are; those are read from the signatures of the provider's classes.
https://www.pulumi.com/docs/iac/build-with-pulumi/pulumi-schema/
"""

import dataclasses
import inspect
import re
from collections.abc import Awaitable, Mapping, Sequence
from types import GenericAlias, NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from components import reference
from components.base import PACKAGE, Component

Schema = dict[str, Any]

NAME = PACKAGE.partition(":")[0]
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def camel(name: str) -> str:
    """A Python name as Pulumi's other languages write it."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def package(version: str) -> Schema:
    """The whole schema.

    Args:
        version: The version of the package.
    """
    types: dict[str, Schema] = {}
    resources = {
        f"{PACKAGE}:{component.__name__}": _resource(component, args[0], types)
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


def _resource(component: type[Component], args: type, types: dict[str, Schema]) -> Schema:
    inputs, required = _properties(args, types)
    about = inspect.cleandoc(component.__doc__ or "").partition("\n\nInputs:")[0]
    outputs = {
        camel(name): {"description": meaning, **_output(component, name)}
        for name, meaning in reference.outputs_of(component).items()
    }
    return {
        "isComponent": True,
        "description": about,
        "inputProperties": inputs,
        "requiredInputs": required,
        "properties": outputs,
        "required": list(outputs),
    }


def _output(component: type[Component], name: str) -> Schema:
    """The type of an output: a text, a list of texts, or a map of texts."""
    annotation = reference.annotations_of(component)[name]
    if get_origin(annotation) is dict:  # of outputs by name
        return {"type": "object", "additionalProperties": {"type": "string"}}
    [inner] = get_args(annotation)
    return _plain(inner, {})


def _properties(args: type, types: dict[str, Schema]) -> tuple[Schema, list[str]]:
    """The properties of one of our classes of arguments, and which of them are required."""
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
    """The type of an argument; what is no input must be known when the component is made."""
    if get_origin(annotation) not in (Union, UnionType):
        return {**_plain(annotation, types), "plain": True}
    parts = get_args(annotation)
    is_input = any(get_origin(part) is Awaitable for part in parts)
    [kind] = [
        part
        for part in parts
        if isinstance(part, type | GenericAlias)
        and part is not NoneType
        and get_origin(part) is not Awaitable
        and not getattr(part, "__name__", "").endswith("ArgsDict")
    ]
    provider_type = not is_input and not dataclasses.is_dataclass(kind) and kind not in _SCALARS
    return {**_plain(kind, types), **({} if is_input or provider_type else {"plain": True})}


def _plain(kind: Any, types: dict[str, Schema]) -> Schema:
    origin, parts = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _item(parts[1], types)}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return {"type": "array", "items": _item(parts[0], types)}
    return {"$ref": f"#/types/{_define(kind, types)}"}


def _item(annotation: Any, types: dict[str, Schema]) -> Schema:
    return {key: value for key, value in _type(annotation, types).items() if key != "plain"}


def _define(kind: type, types: dict[str, Schema]) -> str:
    """Put the type of a nested object into the schema; gives its token."""
    name = kind.__name__.removesuffix("Args")
    token = f"{PACKAGE}:{name}"
    if token not in types:
        types[token] = {"type": "object"}  # before its properties, which may name it
        if dataclasses.is_dataclass(kind):
            properties, required = _properties(kind, types)
        else:
            properties, required = _of_provider(kind, types)
        types[token] |= {"properties": properties, "required": required}
    return token


def _of_provider(kind: type, types: dict[str, Schema]) -> tuple[Schema, list[str]]:
    """The properties of one of the Google provider's classes, by the signature of its maker."""
    module = inspect.getmodule(kind)
    properties: Schema = {}
    required: list[str] = []
    for name, parameter in inspect.signature(kind).parameters.items():
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
