"""The rules of a profile for one element, as a tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TypeRule:
    """A type that an element may have.

    Attributes:
        code: such as `Quantity`
        profiles: the value conforms to one of them; empty for any value of the type
        targets: profiles of the resources that a reference may name; empty for any
    """

    code: str
    profiles: Sequence[str] = ()
    targets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint in FHIRPath.

    Attributes:
        key: its name in the profile
        expression: that must be true of the element
    """

    key: str
    expression: str


@dataclass(frozen=True, slots=True)
class Discriminator:
    """How the slice of a value is found.

    Attributes:
        type: `value`, `pattern`, `exists`, `type` or `profile`
        path: from the value to what decides, such as `$this` or `code.coding`
    """

    type: str
    path: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """How the values of an element are divided into slices.

    Attributes:
        discriminators: all of them decide
        is_ordered: whether values are in the order of the slices
        rules: `open`, `closed` or `openAtEnd`
    """

    discriminators: Sequence[Discriminator]
    is_ordered: bool = False
    rules: str = "open"


@dataclass(slots=True)
class ElementRules:
    """The rules of a profile for one element.

    Attributes:
        id: such as `Patient.name` or `Patient.extension:race.url`
        name: the last part of its path, such as `value[x]`
        slice_name: of a slice; empty for another element
        minimum: the least number of values
        maximum: the largest number of values; nothing for any number
        types: the types that it may have; empty for those of its base
        fixed: the value that it must have
        pattern: what its value must have at least
        binding: the value set of a required binding, or nothing
        least: the least value
        largest: the largest value
        max_length: in characters
        invariants: those of this profile
        same_as: the id of the element whose children it has, or nothing
        slicing: how its values are divided, or nothing
        slices: of its values
        children: by name
        inherited: the rules of the base profile for this element, if these leave out what is there
    """

    id: str
    name: str
    slice_name: str = ""
    minimum: int = 0
    maximum: int | None = None
    types: Sequence[TypeRule] = ()
    fixed: Any = None
    pattern: Any = None
    binding: str = ""
    least: Any = None
    largest: Any = None
    max_length: int | None = None
    invariants: Sequence[Invariant] = ()
    same_as: str = ""
    slicing: Slicing | None = None
    slices: list["ElementRules"] = field(default_factory=list)
    children: dict[str, "ElementRules"] = field(default_factory=dict)
    inherited: "ElementRules | None" = None

    @property
    def is_choice(self) -> bool:
        """Whether the name of its type is a part of its name in JSON."""
        return self.name.endswith("[x]")


@dataclass(frozen=True, slots=True)
class Profile:
    """A compiled StructureDefinition.

    Attributes:
        url: the canonical URL
        type: of the resources or values that it is for
        root: the rules
        base: the URL of the profile whose rules hold too; empty if `root` has them already
    """

    url: str
    type: str
    root: ElementRules
    base: str = ""
