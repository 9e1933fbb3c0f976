"""What a resource type says of its properties, and the check of a program's inputs against it."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from engine.standin.values import Values, is_unknown

Kind = Literal["string", "boolean", "integer", "list", "map", "object"]
_PYTHON_TYPES: Mapping[Kind, type] = {
    "string": str, "boolean": bool, "integer": int, "list": list, "map": dict, "object": dict,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource type, or a field of an object inside one.

    Attributes:
        kind: its type.
        required: a program has to give it.
        computed: left out by the program, the cloud or the provider fills it: no difference.
        output: a program cannot give it.
        replace: a change makes a new resource.
        client: a matter of the provider alone, never sent.
        default: what the provider takes when the program leaves it out.
        autoname: left out, it is made from the resource's name in the program.
        from_provider: setting of the provider that stands in for it (`project`).
        choices: the only values allowed.
        minimum: of an integer.
        pattern, allowed: what a string has to match, and the same in words.
        fields: of an object, or of each object of a list.
        item: kind of the items of a list of plain values.
        unordered: a list whose order means nothing.
        wire: its name in the API's JSON, with dots where it lies deeper; "" when it is the same,
            None when it travels in the path only.
        encode, decode: between the program's value and the API's.
        same: whether two values that differ in writing mean the same.
    """

    kind: Kind = "string"
    required: bool = False
    computed: bool = False
    output: bool = False
    replace: bool = False
    client: bool = False
    default: Any = None
    autoname: bool = False
    from_provider: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    pattern: str = ""
    allowed: str = ""
    fields: Mapping[str, "Property"] = field(default_factory=dict)
    item: Kind = "string"
    unordered: bool = False
    wire: str | None = ""
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    same: Callable[[Any, Any], bool] | None = None

    def wire_name(self, name: str) -> str | None:
        """The API's name of the property that the program calls `name`."""
        return name if self.wire == "" else self.wire


Properties = Mapping[str, Property]


@dataclass(frozen=True)
class Failure:
    """One thing wrong with a program's inputs."""

    path: str
    reason: str


@dataclass(frozen=True)
class Naming:
    """How the engine wants a resource named that the program gives no cloud name.

    Attributes:
        logical: the resource's name in the program.
        seed: the engine's randomness for this resource; the same seed gives the same name.
        proposed: a name that the stack's configuration proposes or enforces.
        disabled: the configuration forbids made-up names.
    """

    logical: str
    seed: bytes = b""
    proposed: str = ""
    disabled: bool = False

    def name(self) -> str:
        """The configured name, else the logical one and seven random characters."""
        if self.proposed:
            return self.proposed
        random = hashlib.sha256(self.seed).hexdigest() if self.seed else secrets.token_hex(4)
        return f"{self.logical}-{random[:7]}"


def check(
    properties: Properties, news: Values, olds: Values, naming: Naming
) -> tuple[Values, list[Failure]]:
    """Checks a program's inputs and fills the provider's defaults.

    The result lists in `__defaults`, at each object, what the provider filled: so does the real
    plugin.

    Args:
        properties: of the resource type.
        news: inputs as the program gives them.
        olds: inputs of the last update, for names made up before.
        naming: how to make up a name.
    """
    failures: list[Failure] = []
    inputs = _check_object(properties, news, "", failures)
    for name, prop in properties.items():
        if not prop.autoname or name in news:
            continue
        if name in olds.get("__defaults", ()):
            inputs[name] = olds[name]
        elif naming.disabled:
            failures.append(Failure(name, _missing(name)))
            continue
        else:
            inputs[name] = naming.name()
        inputs["__defaults"].append(name)
    inputs["__defaults"].sort()
    return inputs, failures


def _check_object(
    properties: Properties, news: Values, path: str, failures: list[Failure]
) -> Values:
    inputs: Values = {}
    for name, value in news.items():
        if name.startswith("__") or value is None:
            continue
        where = f"{path}.{name}" if path else name
        prop = properties.get(name)
        if prop is None or prop.output:
            failures.append(Failure(where, _unknown(name, where, prop, properties)))
        else:
            inputs[name] = _check_value(prop, value, where, failures)
    defaults = []
    for name, prop in properties.items():
        if name in inputs or prop.output:
            continue
        if prop.default is not None:
            inputs[name] = prop.default
            defaults.append(name)
        elif prop.required:
            where = f"{path}.{name}" if path else name
            failures.append(Failure(where, _missing(where)))
    inputs["__defaults"] = sorted(defaults)
    return inputs


def _check_value(prop: Property, value: Any, where: str, failures: list[Failure]) -> Any:
    if is_unknown(value):
        return value
    if not _is_a(prop.kind, value):
        failures.append(Failure(where, _wrong_type(where, value, prop.kind)))
        return value
    if prop.kind == "object":
        return _check_object(prop.fields, value, where, failures)
    if prop.kind == "list":
        return [_check_item(prop, item, f"{where}[{i}]", failures) for i, item in enumerate(value)]
    if prop.kind == "map":
        entries = {k: v for k, v in value.items() if not k.startswith("__")}
        for key, entry in entries.items():
            if not is_unknown(entry) and not isinstance(entry, str):
                failures.append(
                    Failure(f"{where}.{key}", _wrong_type(f"{where}.{key}", entry, "string"))
                )
        return {"__defaults": [], **entries}
    reason = _bad_scalar(prop, value, where)
    if reason:
        failures.append(Failure(where, reason))
    return value


def _check_item(prop: Property, item: Any, where: str, failures: list[Failure]) -> Any:
    as_property = Property(kind="object" if prop.fields else prop.item, fields=prop.fields)
    return _check_value(as_property, item, where, failures)


def _is_a(kind: Kind, value: Any) -> bool:
    if kind == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, _PYTHON_TYPES[kind])


def _bad_scalar(prop: Property, value: Any, where: str) -> str:
    if prop.choices and value not in prop.choices:
        allowed = ", ".join(f'"{choice}"' for choice in prop.choices)
        near = get_close_matches(str(value), prop.choices, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'expected {where} to be one of [{allowed}], got "{value}"{hint}'
    if prop.minimum is not None and value < prop.minimum:
        return f'"{where}" ({value}) is not allowed: it has to be at least {prop.minimum}'
    if prop.pattern and not re.fullmatch(prop.pattern, value):
        return (
            f'"{where}" ("{value}") is not allowed: it has to be {prop.allowed} (/{prop.pattern}/)'
        )
    return ""


def _unknown(name: str, where: str, prop: Property | None, properties: Properties) -> str:
    if prop is not None:
        return f'"{where}" is an output: the cloud sets it, a program cannot'
    inputs = [known for known, spec in properties.items() if not spec.output]
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    near = [camel] if camel in inputs else get_close_matches(name, inputs, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"it has {', '.join(sorted(inputs))}"
    return f'there is no property "{where}"; {hint}'


def _missing(where: str) -> str:
    return f'missing required property "{where}": give it a value'


def _wrong_type(where: str, value: Any, kind: Kind) -> str:
    got = next((name for name in _PYTHON_TYPES if _is_a(name, value)), type(value).__name__)
    if got == "map":
        got = "object"
    return f'"{where}" has to be of type {kind}, got {got} ({value!r})'
