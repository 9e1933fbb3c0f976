"""The table told to others: as a Pulumi schema, and as the table of `docs/stand-in.md`."""

import json
import sys
from typing import Any

from engine.standin import VERSION, registry
from engine.standin.properties import Property
from engine.standin.resource import ResourceType

_TYPES = {"list": "array", "map": "object"}


def schema() -> str:
    """Return the package schema of every type_, as JSON."""
    return json.dumps(
        {
            "name": "gcp",
            "version": VERSION,
            "description": "Offline stand-in: a part of the Google Cloud package",
            "resources": {
                type_.pulumi_type: _resource(type_) for type_ in registry.resource_types()
            },
        }
    )


def _resource(type_: ResourceType) -> dict[str, Any]:
    inputs = {name: prop for name, prop in type_.properties.items() if not prop.output}
    return {
        "properties": {name: _type(prop) for name, prop in type_.properties.items()},
        "inputProperties": {name: _type(prop) for name, prop in inputs.items()},
        "requiredInputs": [name for name, prop in inputs.items() if prop.required],
    }


def _type(prop: Property) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _TYPES.get(prop.type, prop.type)}
    if prop.type == "list":
        described["items"] = {"$ref": "pulumi.json#/Any"} if prop.fields else {"type": prop.item}
    if prop.type == "map":
        described["additionalProperties"] = {"type": "string"}
    if prop.type == "object":
        return {"$ref": "pulumi.json#/Any"}
    return described


def markdown() -> str:
    """Return two tables of types: their properties, and the ones that are not covered."""
    lines = ["| type | updates in place | replaces | outputs |", "|---|---|---|---|"]
    missing = ["| type | properties that are not covered |", "|---|---|"]
    for type_ in registry.resource_types():
        props = type_.properties.items()
        inputs = [(name, prop) for name, prop in props if not prop.output]
        updates = [name for name, prop in inputs if not prop.replace]
        replaces = [path for name, prop in inputs for path in _replacing(name, prop)]
        outputs = [name for name, prop in props if prop.output]
        cells = " | ".join(_cell(names) for names in (updates, replaces, outputs))
        lines.append(f"| `{type_.pulumi_type}` | {cells} |")
        if type_.uncovered:
            missing.append(f"| `{type_.pulumi_type}` | {_cell(type_.uncovered)} |")
    return "\n".join([*lines, "", *missing]) + "\n"


def _replacing(name: str, prop: Property) -> list[str]:
    if prop.replace:
        return [name]
    return [path for n, p in prop.fields.items() for path in _replacing(f"{name}.{n}", p)]


def _cell(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(markdown())
