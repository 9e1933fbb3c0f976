"""A copy of the real provider's schema, for the resource types that the stand-in manages.

Each Pulumi module has a file, with one line a field. `generate.py` writes the files and names the
source. The tables of the stand-in are derived from the copy (`derive.py`); tests hold the stack's
settings and the components' arguments against it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a resource type.

    Attributes:
        terraform: its name in Terraform
        type: String, Bool, Int, Float, Map, List or Set
        elem: the type of the items of a list, set or map; `object` for objects
        required, optional: whether a program has to or may give it
        computed: Google or the provider may fill it; alone it is output only
        forceNew: a change replaces the resource
        default: what the provider fills in
        values: the only values allowed
        pattern: a regular expression of Go's that a value has to match
        validated: the provider has a check, beside `values` and `pattern` one that can't be read
        diffSuppress, stateFunc: values that differ in writing may mean the same
        minItems, maxItems: length of a list; a list of at most one is a plain value in Pulumi
        conflictsWith, exactlyOneOf, atLeastOneOf, requiredWith: Terraform paths of fields, such as
            `parser_config.0.schema`
        sensitive, deprecated: as in Terraform
    """

    terraform: str
    type: str
    elem: str = ""
    required: bool = False
    optional: bool = False
    computed: bool = False
    forceNew: bool = False  # noqa: N815 - the names in the files are the provider's
    default: Any = None
    values: tuple[str, ...] = ()
    pattern: str = ""
    validated: bool = False
    diffSuppress: bool = False  # noqa: N815
    stateFunc: bool = False  # noqa: N815
    minItems: int | None = None  # noqa: N815
    maxItems: int | None = None  # noqa: N815
    conflictsWith: tuple[str, ...] = ()  # noqa: N815
    exactlyOneOf: tuple[str, ...] = ()  # noqa: N815
    atLeastOneOf: tuple[str, ...] = ()  # noqa: N815
    requiredWith: tuple[str, ...] = ()  # noqa: N815
    sensitive: bool = False
    deprecated: bool = False

    @property
    def output(self) -> bool:
        """Whether the provider refuses it as an input."""
        return not (self.required or self.optional)


@dataclass(frozen=True, kw_only=True)
class ResourceSchema:
    """One resource type.

    Attributes:
        fields: Pulumi path, such as `parserConfig.schema` -> field; a parent before its children
        timeouts: operation -> default in minutes
        importable: whether it can be imported
    """

    fields: Mapping[str, Field]
    timeouts: Mapping[str, int]
    importable: bool


@cache
def load(token: str) -> ResourceSchema:
    """Return the schema of a resource type.

    Args:
        token: such as `gcp:healthcare/dataset:Dataset`

    Raises:
        KeyError: the copy does not have the type
    """
    return parse(_read(module_of(token))["resources"][token])


def parse(entry: Mapping[str, Any]) -> ResourceSchema:
    """Return an entry of a file as a schema."""
    return ResourceSchema(
        fields={path: _field(values) for path, values in entry["fields"].items()},
        timeouts=entry["timeouts"],
        importable=entry["importable"],
    )


def tokens() -> list[str]:
    """Return the resource types of the copy."""
    modules = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [token for module in modules for token in _read(module)["resources"]]


def sources() -> set[tuple[str, str]]:
    """Return the versions of the provider and of the plug-in that the files were made from."""
    files = [_read(path.stem) for path in FOLDER.glob("*.json")]
    return {(file["provider"], file["plugin"]) for file in files}


def module_of(token: str) -> str:
    """Return the Pulumi module of a type token."""
    return token.removeprefix("gcp:").partition("/")[0]


@cache
def _read(module: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{module}.json").read_text())
    return found


def _field(values: Mapping[str, Any]) -> Field:
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Field(**{**values, **lists})
