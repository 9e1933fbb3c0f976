"""The properties of a resource type. Most of each comes from the copy of the provider's schema."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PropertyType = Literal["string", "boolean", "integer", "number", "list", "map", "object"]


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource type, or a field of an object inside one.

    From the schema:
        terraform: its name in Terraform.
        type: its type.
        required: a program has to give it.
        computed: left out by the program, the cloud or the provider fills it: no difference.
        output: a program cannot give it.
        replace: a change makes a new resource.
        default: what the provider takes when the program leaves it out.
        choices: the only values allowed.
        pattern: what a string has to match.
        min_items, max_items: of a list.
        conflicts_with, exactly_one_of, at_least_one_of, required_with: paths of Terraform fields.
        fields: of an object, or of each object of a list.
        item: type of the items of a list of plain values.
        unordered: a list whose order means nothing.

    Quirks:
        autoname: left out, it is made from the resource's name in the program.
        from_provider: setting of the provider that stands in for it (`project`).
        client: a matter of the provider alone, never sent.
        validate: the error of a value, given the value and its Terraform path; None for a good one.
        wire: its name in the API's JSON, with dots where it lies deeper; None when it travels in
            the path only.
        encode, decode: between the program's value and the API's.
        same: whether two values that differ in writing mean the same.
        implied: what the API fills in for the program, and the provider takes for "not set".
        ignored_keys: of a map, which Google adds and no difference counts.
    """

    terraform: str = ""
    type: PropertyType = "string"
    required: bool = False
    computed: bool = False
    output: bool = False
    replace: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    min_items: int | None = None
    max_items: int | None = None
    conflicts_with: tuple[str, ...] = ()
    exactly_one_of: tuple[str, ...] = ()
    at_least_one_of: tuple[str, ...] = ()
    required_with: tuple[str, ...] = ()
    fields: Mapping[str, "Property"] = field(default_factory=dict)
    item: PropertyType = "string"
    unordered: bool = False

    autoname: bool = False
    from_provider: str = ""
    client: bool = False
    validate: Callable[[Any, str], str | None] | None = None
    wire: str | None = ""
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    same: Callable[[Any, Any], bool] | None = None
    implied: Any = None
    ignored_keys: tuple[str, ...] = ()

    def wire_name(self, name: str) -> str | None:
        """Return the API's name of the property that the program calls `name`."""
        return name if self.wire == "" else self.wire


Properties = Mapping[str, Property]


@dataclass(frozen=True)
class Failure:
    """One thing wrong with a program's inputs.

    Attributes:
        path: as Pulumi writes it, such as `streamConfigs[0].bigqueryDestination`
        reason: what is wrong
    """

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
        """Return the configured name, else the logical one and seven random characters."""
        if self.proposed:
            return self.proposed
        random = hashlib.sha256(self.seed).hexdigest() if self.seed else secrets.token_hex(4)
        return f"{self.logical}-{random[:7]}"
