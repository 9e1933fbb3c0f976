"""The representation of a message as `ParsedData`.

The numbers of fields by parser version are documented in the reference of `ParserConfig.version`,
the form of keys in that of `Segment.fields`. Inferred (conformance: hl7v2-parsed-data): levels
with one part have no number, field 0 is the id of the segment, and which segments have a set ID
(those whose first field is a Set ID in HL7 2.8.2).
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from emulator.services.healthcare.hl7v2.parsing.syntax import (
    HEADER,
    Delimiters,
    Field,
    ParsedMessage,
    Segment,
)

V1, V2, V3 = "V1", "V2", "V3"
_SET_ID_SEGMENTS = frozenset((
    "AFF", "AIG", "AIL", "AIP", "AIS", "AL1", "ARV", "BPO", "BPX", "BTX", "BUI", "CDO", "CER",
    "CM0", "CM1", "CM2", "CON", "DB1", "DG1", "DSP", "EDU", "FT1", "GT1", "IAM", "ILT", "IN1",
    "IN3", "IVT", "LAN", "MCP", "NK1", "NTE", "OBR", "OBX", "ORG", "PAC", "PCE", "PID", "PKG",
    "PR1", "PV1", "PYE", "REL", "RGS", "RXV", "SGH", "SGT", "SPM", "TQ1", "TQ2", "TXA", "UB1",
    "UB2", "VND",
))  # fmt: skip
_ENCODING_FIELDS = (1, 2)
"""The fields of MSH that hold the delimiters."""


def parsed_data(message: ParsedMessage, version: str) -> dict[str, Any]:
    """Return a message as `ParsedData`.

    Args:
        message: the message
        version: of the parser, `V1`, `V2` or `V3`
    """
    unescape = unescaper(message.delimiters) if version == V3 else str
    return {"segments": [_segment(each, version, unescape) for each in message.segments]}


@lru_cache(maxsize=100)
def unescaper(delimiters: Delimiters) -> Callable[[str], str]:
    """Return a function that replaces the escape sequences of delimiters; others stay."""
    meanings = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
    }
    if delimiters.truncation:
        meanings["P"] = delimiters.truncation
    mark = re.escape(delimiters.escape)
    pattern = re.compile(f"{mark}([{''.join(meanings)}]){mark}")
    return lambda text: (
        pattern.sub(lambda found: meanings[found[1]], text) if delimiters.escape in text else text
    )


def _segment(segment: Segment, version: str, unescape: Callable[[str], str]) -> dict[str, Any]:
    is_header = segment.id == HEADER
    fields = {"0": segment.id}
    for number, field in enumerate(segment.fields[1:], start=1):
        shown = number
        if is_header and version == V1:
            if number == 1:
                continue
            shown -= 1
        if is_header and number in _ENCODING_FIELDS:
            fields[str(shown)] = segment.value(number)
            continue
        fields.update((key, unescape(value)) for key, value in _values(str(shown), field))
    parsed: dict[str, Any] = {"segmentId": segment.id}
    if segment.id in _SET_ID_SEGMENTS and (set_id := segment.value(1)):
        parsed["setId"] = set_id
    return {**parsed, "fields": fields}


def _values(number: str, field: Field) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of a field that are not empty."""
    for index, repetition in enumerate(field):
        key = f"{number}[{index}]" if len(field) > 1 else number
        for position, component in enumerate(repetition, start=1):
            inner = f"{key}.{position}" if len(repetition) > 1 else key
            if len(component) > 1 and len(repetition) == 1:
                inner = f"{key}.1"
            for part, value in enumerate(component, start=1):
                if value:
                    yield (f"{inner}.{part}" if len(component) > 1 else inner), value
