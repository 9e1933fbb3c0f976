"""The table told to others: as a Pulumi schema, and as the table of `docs/stand-in.md`."""

import json
import sys
from typing import Any

from engine.standin import VERSION, registry
from engine.standin.properties import Property
from engine.standin.resource import Resource

_TYPES = {"list": "array", "map": "object"}


def schema() -> str:
    """The package schema of every row, as JSON."""
    return json.dumps(
        {
            "name": "gcp",
            "version": VERSION,
            "description": "Offline stand-in: a part of the Google Cloud package",
            "resources": {row.pulumi_type: _resource(row) for row in registry.rows()},
        }
    )


def _resource(row: Resource) -> dict[str, Any]:
    inputs = {name: prop for name, prop in row.properties.items() if not prop.output}
    return {
        "properties": {name: _type(prop) for name, prop in row.properties.items()},
        "inputProperties": {name: _type(prop) for name, prop in inputs.items()},
        "requiredInputs": [name for name, prop in inputs.items() if prop.required],
    }


def _type(prop: Property) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _TYPES.get(prop.kind, prop.kind)}
    if prop.kind == "list":
        described["items"] = {"$ref": "pulumi.json#/Any"} if prop.fields else {"type": prop.item}
    if prop.kind == "map":
        described["additionalProperties"] = {"type": "string"}
    if prop.kind == "object":
        return {"$ref": "pulumi.json#/Any"}
    return described


def markdown() -> str:
    """The table of types: what an update changes in place, what makes a new resource."""
    lines = [
        "| type | updates in place | makes a new resource | outputs | not covered |",
        "|---|---|---|---|---|",
    ]
    for row in registry.rows():
        props = row.properties.items()
        inputs = [(name, prop) for name, prop in props if not prop.output]
        updates = [name for name, prop in inputs if not prop.replace]
        replaces = [path for name, prop in inputs for path in _replacing(name, prop)]
        outputs = [name for name, prop in props if prop.output]
        cells = (updates, replaces, outputs, row.uncovered)
        lines.append(
            f"| `{row.pulumi_type}` | " + " | ".join(_cell(names) for names in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def _replacing(name: str, prop: Property) -> list[str]:
    if prop.replace:
        return [name]
    return [path for n, p in prop.fields.items() for path in _replacing(f"{name}.{n}", p)]


def _cell(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(markdown())
