"""The reference of every key, made from the settings' own types.

`python -m program.config.reference` writes it into `docs/configuration.md` and `Pulumi.yaml`;
a test compares.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from program.config.stack import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "configuration.md"
PROJECT = ROOT / "Pulumi.yaml"
BEGIN = "<!-- made by `python -m program.config.reference` -->\n"
END = "<!-- end -->\n"

Schema = dict[str, Any]

_SCHEMA: Schema = Settings.model_json_schema(by_alias=True)
_DEFINITIONS: dict[str, Schema] = _SCHEMA["$defs"]
_ENGINE_TYPES = {"string", "boolean", "integer", "array", "object"}


def declarations() -> dict[str, Schema]:
    """Return the config section of `Pulumi.yaml`: key -> type, description, default."""
    found: dict[str, Schema] = {}
    for key, declared in _SCHEMA["properties"].items():
        if ":" in key:
            continue  # a key of another namespace, which the engine does not let a project declare
        json_type = declared.get("type", "object")
        entry: Schema = {"type": json_type}
        if json_type == "array":
            inner = declared["items"].get("type", "object")
            entry["items"] = {"type": inner}
        entry["description"] = declared["description"]
        # An empty map is what every object of settings is by default.
        default = declared["default"]
        entry["default"] = {} if json_type == "object" else _plain(default)
        found[key] = entry
    return found


def _plain(default: Any) -> Any:
    """Return a default without the parts that are defaults themselves."""
    if isinstance(default, list):
        return [{"name": item["name"]} if isinstance(item, dict) else item for item in default]
    return default


def tables() -> str:
    """All keys as Markdown: one table for the stack, one for each type of object in it."""
    parts = ["### Keys of the stack\n", _table(_SCHEMA)]
    for name, paths in _occurrences().items():
        shown = [f"`{path}`" for path in paths[:4]]
        more = f" and {len(paths) - 4} more" if len(paths) > 4 else ""
        definition = _DEFINITIONS[name]
        parts += [
            f"### {_title(name)}\n",
            f"{definition['description'].splitlines()[0]} At {', '.join(shown)}{more}.\n",
            _table(definition),
        ]
    return "\n".join(parts)


def _title(name: str) -> str:
    """Return the heading of a type of object: its class without the ending that all have."""
    return name.removesuffix("Settings")


def _table(schema: Schema) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", [])
    for key, declared in schema["properties"].items():
        default = "required" if key in required else _default(declared)
        lines.append(f"| `{key}` | {_type(declared)} | {default} | {declared['description']} |")
    return "\n".join(lines) + "\n"


def _default(declared: Schema) -> str:
    value = declared.get("default")
    if value is None:
        return "not sent"
    if isinstance(value, list) and value:
        return " ".join(f"`{item['name'] if isinstance(item, dict) else item}`" for item in value)
    return "`{}`" if isinstance(value, dict) else f"`{json.dumps(value)}`"


def _type(declared: Schema) -> str:
    """Return a type in words; objects by the heading of their table."""
    if "anyOf" in declared:
        [inner] = [item for item in declared["anyOf"] if item.get("type") != "null"]
        return _type(inner)
    if "$ref" in declared:
        title = _title(declared["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.lower()})"
    if "enum" in declared or "const" in declared:
        return ", ".join(f"`{item}`" for item in declared.get("enum", [declared.get("const")]))
    json_type = str(declared["type"])
    if json_type == "array":
        return f"list of {_type(declared['items'])}"
    if json_type == "object":
        return "map of strings"
    low, high = declared.get("minimum"), declared.get("maximum")
    return f"{json_type} {low} to {high}" if low is not None and high is not None else json_type


def _occurrences() -> dict[str, list[str]]:
    """Return the paths of each type of object, in the order of the settings."""
    found: dict[str, list[str]] = {}
    for name, path in _walk(_SCHEMA, ""):
        found.setdefault(name, []).append(path)
    return found


def _walk(schema: Schema, prefix: str) -> Iterator[tuple[str, str]]:
    for key, declared in schema.get("properties", {}).items():
        for name, ending in _references(declared):
            path = f"{prefix}{key}{ending}"
            yield name, path
            yield from _walk(_DEFINITIONS[name], f"{path}.")


def _references(declared: Schema) -> Iterator[tuple[str, str]]:
    if "$ref" in declared:
        yield declared["$ref"].rpartition("/")[2], ""
    for item in declared.get("anyOf", []):
        yield from _references(item)
    if isinstance(declared.get("items"), dict):
        for name, ending in _references(declared["items"]):
            yield name, f"[]{ending}"


def written(page: str) -> str:
    """Return a page with the tables in the place that its marks leave for them."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def declared(project: str) -> str:
    """Return a project file with the declarations in the place of those it has."""
    before = project.partition("\nconfig:\n")[0]
    text = yaml.safe_dump(
        {"config": declarations()}, sort_keys=False, allow_unicode=True, width=1000
    )
    return f"{before}\n{text}"


if __name__ == "__main__":
    DOCS.write_text(written(DOCS.read_text()))
    PROJECT.write_text(declared(PROJECT.read_text()))
