"""The properties of a resource type, made from the copy of the schema and the type's quirks.

A quirk is what the schema does not say: how a value travels, what the provider takes for the same,
a check that is code. It is written as fields of `Property`, by the property's Pulumi path.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from engine.standin.properties import Properties, Property, PropertyType
from engine.standin.provider_schema import Field, ResourceSchema

Quirks = Mapping[str, Mapping[str, Any]]

_TYPES: Mapping[str, PropertyType] = {
    "String": "string", "Bool": "boolean", "Int": "integer", "Float": "number",
    "Map": "map", "object": "object",
}  # fmt: skip
_COMMON: Quirks = {
    "name": {"autoname": True, "required": False, "wire": None},
    "deletionPolicy": {
        "client": True,
        "wire": None,
        "from_provider": "deletion_policy",
        # Inferred: the provider checks it when it plans, by code that the schema does not show.
        "choices": ("DELETE", "PREVENT", "ABANDON"),
    },
    "effectiveLabels": {"wire": None},
    "pulumiLabels": {"wire": None},
}
"""Quirks of top-level properties that mean the same in every type."""


def derive(
    schema: ResourceSchema, quirks: Quirks, uncovered: Collection[str] = ()
) -> dict[str, Property]:
    """Return the properties of a resource type.

    Args:
        schema: the schema of the type
        quirks: path -> what differs from the schema
        uncovered: top-level properties to leave out

    Raises:
        KeyError: a quirk or an uncovered property is not in the schema
    """
    unknown = {*quirks, *uncovered} - schema.fields.keys()
    if unknown:
        raise KeyError(f"not in the schema: {', '.join(sorted(unknown))}")
    kept = {
        path: found
        for path, found in schema.fields.items()
        if path.partition(".")[0] not in uncovered
    }
    return _level(kept, quirks, "")


def _level(fields: Mapping[str, Field], quirks: Quirks, prefix: str) -> dict[str, Property]:
    properties: dict[str, Property] = {}
    for path, found in fields.items():
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or "." in name:
            continue
        inner = _level(fields, quirks, f"{path}.") if found.elem == "object" else {}
        own = {**_common(path, found), **quirks.get(path, {})}
        properties[name] = replace(_property(found, inner), **own)
    return properties


def _common(path: str, found: Field) -> Mapping[str, Any]:
    if path == "project" and found.computed and found.optional:
        return {"from_provider": "project", "wire": None}
    return _COMMON.get(path, {})


def _property(found: Field, inner: Properties) -> Property:
    # Pulumi makes a plain value of a list that has at most one item.
    single = found.type in ("List", "Set") and found.maxItems == 1
    is_list = found.type in ("List", "Set") and not single
    type_: PropertyType = "list" if is_list else _TYPES[found.elem if single else found.type]
    return Property(
        terraform=found.terraform,
        type=type_,
        required=found.required,
        computed=found.computed and not found.output,
        output=found.output,
        replace=found.forceNew,
        default=found.default,
        choices=found.values,
        pattern=found.pattern,
        min_items=found.minItems if is_list else None,
        max_items=found.maxItems if is_list else None,
        conflicts_with=found.conflictsWith,
        exactly_one_of=found.exactlyOneOf,
        at_least_one_of=found.atLeastOneOf,
        required_with=found.requiredWith,
        fields=inner,
        item=_TYPES[found.elem] if is_list else "string",
        unordered=found.type == "Set" and is_list,
        wire=re.sub(r"_(\w)", lambda match: match[1].upper(), found.terraform),
    )
