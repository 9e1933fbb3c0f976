"""Definitions of a schema: types of segments and data types, and groups of segments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

STRING, VARIES, UNESCAPED_STRING = "STRING", "VARIES", "UNESCAPED_STRING"


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A field of a segment or of a data type.

    Attributes:
        name: its key in the output
        type: the name of its type
        is_required: whether it must be present
        max_occurs: the largest number of repetitions; 0 for any
    """

    name: str
    type: str
    is_required: bool = False
    max_occurs: int = 1


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A segment or a data type.

    Attributes:
        primitive: `STRING`, `VARIES` or `UNESCAPED_STRING`; empty for a type with fields
        fields: of a type that is not primitive
    """

    primitive: str = ""
    fields: Sequence[FieldDefinition] = ()


@dataclass(frozen=True, slots=True)
class SegmentMember:
    """A segment in a group.

    Attributes:
        name: the id of the segment
        min_occurs, max_occurs: how often it may be there; a maximum of 0 is any number
    """

    name: str
    min_occurs: int
    max_occurs: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group of segments and groups.

    Attributes:
        name: its key in the output
        min_occurs, max_occurs: how often it may be there; a maximum of 0 is any number
        members: in order
        is_choice: whether only one of the members may be there
    """

    name: str
    min_occurs: int
    max_occurs: int
    members: "Sequence[Member]"
    is_choice: bool = False


Member: TypeAlias = SegmentMember | Group


def maximum(number: int | None) -> int:
    """Return the largest number of occurrences, as `maxOccurs` has it; 0 or -1 is any number."""
    return max(int(number or 0), 0)


def group_of(config: Mapping[str, Any], name: str = "") -> Group:
    """Return a group of the API's message SchemaGroup.

    Args:
        config: the message
        name: of a group that has none
    """
    return Group(
        name=config.get("name") or name,
        min_occurs=int(config.get("minOccurs", 0)),
        max_occurs=maximum(config.get("maxOccurs")),
        members=[*_members(config.get("members", []))],
        is_choice=bool(config.get("choice")),
    )


def _members(configs: Iterable[Mapping[str, Any]]) -> Iterable[Member]:
    for config in configs:
        if "group" in config:
            yield group_of(config["group"])
        elif "segment" in config:
            segment = config["segment"]
            yield SegmentMember(
                segment.get("type", ""),
                int(segment.get("minOccurs", 0)),
                maximum(segment.get("maxOccurs")),
            )


def type_of(config: Mapping[str, Any]) -> TypeDefinition:
    """Return a type of the API's message Type."""
    primitive = config.get("primitive", "")
    fields = [
        FieldDefinition(
            name=field.get("name") or str(number),
            type=field.get("type", ""),
            is_required=int(field.get("minOccurs", 0)) > 0,
            max_occurs=maximum(field.get("maxOccurs")),
        )
        for number, field in enumerate(config.get("fields", []), start=1)
    ]
    return TypeDefinition("" if primitive == "PRIMITIVE_UNSPECIFIED" else primitive, fields)
