"""The default schema: HL7 2.8.2, as the tables of the package hl7apy define it.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/hl7v2-default-parser): the version.
Observed in the inputs of https://github.com/GoogleCloudPlatform/healthcare-data-harmonization:
fields that the version withdrew keep their type, FT is of varying type, and the root is called by
message type and trigger event. Inferred (conformance: hl7v2-default-schema): the withdrawn fields
are those of 2.5.1.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from emulator.services.healthcare.hl7v2.schematized.definitions import (
    STRING,
    VARIES,
    FieldDefinition,
    Group,
    Member,
    SegmentMember,
    TypeDefinition,
    maximum,
)

_WITHDRAWN = "WD"
_ANY_SEGMENT = "ANYHL7SEGMENT"
"""A placeholder of hl7apy, whose children are segments."""
_VARYING = frozenset({"FT", "TX", "varies", _WITHDRAWN})
_EVENTS = {
    "ADT_A01": "A04 A08 A13",
    "ADT_A05": "A14 A28 A31",
    "ADT_A06": "A07",
    "ADT_A09": "A10 A11",
    "ADT_A21": "A22 A23 A25 A26 A27 A29 A32 A33",
    "ADT_A39": "A40 A41 A42",
    "ADT_A50": "A51",
    "ADT_A52": "A53",
    "ADT_A54": "A55",
    "ADT_A61": "A62",
    "MDM_T01": "T03 T05 T07 T09 T11",
    "MDM_T02": "T04 T06 T08 T10",
    "ORU_R30": "R31 R32",
    "RDE_O11": "O25",
    "SRM_S01": "S02 S03 S04 S05 S06 S07 S08 S09 S10 S11",
}
"""Structure -> further trigger events of its messages, by HL7 table 0354."""
STRUCTURES = {
    f"{structure[:4]}{event}": structure
    for structure, events in _EVENTS.items()
    for event in events.split()
}

Reference = Sequence[Any]
"""An entry of hl7apy: what it consists of, and at index 2 the name of its type."""


@cache
def group(message_type: str, event: str) -> Group | None:
    """Return the structure of a message; None for one that the version does not define."""
    from hl7apy.v2_8_2.messages import MESSAGES

    key = f"{message_type}_{event}" if event else message_type
    structure = STRUCTURES.get(key, key)
    if structure not in MESSAGES:
        return None
    return Group(key, 1, 1, [*_members(MESSAGES[structure], structure)])


@cache
def find_type(name: str) -> TypeDefinition | None:
    """Return the definition of a segment or a data type; None for one that is not known."""
    from hl7apy import v2_5_1, v2_8_2

    if name == _ANY_SEGMENT:
        return TypeDefinition(VARIES)
    for version in (v2_8_2, v2_5_1):
        if name in version.SEGMENTS:
            return _composite(version.SEGMENTS[name][1], name, "SEGMENTS")
        if name in version.DATATYPES_STRUCTS:
            return _composite(version.DATATYPES_STRUCTS[name], name, "DATATYPES_STRUCTS")
        if name in _VARYING:
            return TypeDefinition(VARIES)
        if name in version.BASE_DATATYPES:
            return TypeDefinition(STRING)
    return None


def _members(reference: Reference, structure: str) -> Iterator[Member]:
    for name, inner, (least, most), level in reference[1]:
        if level == "SEG":
            yield SegmentMember(name, least, maximum(most))
        else:
            yield Group(
                name.removeprefix(f"{structure}_"),
                least,
                maximum(most),
                [*_members(inner, structure)],
                is_choice=inner[0] == "choice",
            )


def _composite(children: Sequence[Any], name: str, table: str) -> TypeDefinition:
    from hl7apy import v2_5_1

    older = getattr(v2_5_1, table).get(name, ())
    before = _by_number(older[1] if table == "SEGMENTS" and older else older)
    now = _by_number(children)
    fields = []
    for number in range(1, max(now, default=0) + 1):
        child = now.get(number)
        is_withdrawn = child is None or child[2][1] == 0
        definition = before.get(number, child) if is_withdrawn else child
        least, most = definition[2] if definition else (0, 0)
        type_name = definition[1][2] if definition and most else _WITHDRAWN
        is_required = least > 0 and not is_withdrawn
        fields.append(FieldDefinition(str(number), type_name, is_required, maximum(most)))
    return TypeDefinition(fields=fields)


def _by_number(children: Sequence[Any]) -> dict[int, Any]:
    """Return the children by their numbers, which end their names; some have none."""
    return {
        int(number): child
        for child in children
        if (number := child[0].rpartition("_")[2]).isdigit()
    }
