"""The syntax of HL7v2 messages: delimiters, segments, fields, repetitions, components.

The grammar is that of HL7 2.8.2, chapter 2. The texts of refusals are Google's for the encoding
(observed in https://github.com/GoogleCloudPlatform/mllp/issues/21). Inferred (conformance:
hl7v2-no-header-text, hl7v2-encoding-bytes, hl7v2-delimiters-text, hl7v2-segment-text): the other
texts, the names of the two encodings in MSH-18, and what else is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Component: TypeAlias = Sequence[str]
"""The subcomponents of a component."""
Repetition: TypeAlias = Sequence[Component]
Field: TypeAlias = Sequence[Repetition]

CARRIAGE_RETURN = "\r"
HEADER = "MSH"
_ENCODINGS = frozenset({"", "ASCII", "UTF-8", "UTF8", "UNICODE UTF-8"})
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENCODING_ERROR = "unsupported encoding in message, only ASCII and UTF-8 are supported"
_SEGMENT_ERROR = "invalid segment: its id must be a letter and two letters or digits"
_HEADERS = frozenset({HEADER, "BHS", "FHS"})
_USUAL_HEADER = "MSH|^~\\&|"


class Hl7Error(ValueError):
    """A message that can't be parsed.

    The text holds no value of the message but ids of segments and numbers of fields.
    """


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The delimiters of a message, one character each.

    Attributes:
        field, component, repetition, escape, subcomponent: as MSH-1 and MSH-2 define them
        truncation: since HL7 2.7; empty if there is none
    """

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """MSH-2: all delimiters but that of fields."""
        return f"{self.component}{self.repetition}{self.escape}{self.subcomponent}{self.truncation}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment.

    Attributes:
        id: such as `PID`
        text: the whole segment, without its terminator
        fields: the fields by number, those of MSH with the delimiters; 0 is the id
    """

    id: str
    text: str
    fields: Sequence[Field]

    def value(self, field: int, component: int = 1, repetition: int = 0) -> str:
        """Return the first subcomponent of a component, by numbers as HL7 counts them; or empty."""
        try:
            return self.fields[field][repetition][component - 1][0]
        except IndexError:
            return ""


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """The segments of a message.

    Attributes:
        delimiters: of the message
        segments: in order
    """

    delimiters: Delimiters
    segments: Sequence[Segment]

    @property
    def header(self) -> Segment | None:
        """The segment MSH, unless the message has none."""
        first = self.segments[0]
        return first if first.id == HEADER else None

    def all(self, segment_id: str) -> list[Segment]:
        """Return the segments with an id."""
        return [segment for segment in self.segments if segment.id == segment_id]


def parse(
    data: bytes, terminator: str = CARRIAGE_RETURN, *, allow_null_header: bool = False
) -> ParsedMessage:
    """Return the segments of a message.

    Args:
        data: the raw message
        terminator: of segments
        allow_null_header: whether a message may have no MSH; it has the usual delimiters then

    Raises:
        Hl7Error: the message can't be parsed
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Hl7Error(_ENCODING_ERROR) from None
    lines = [line.rstrip(CARRIAGE_RETURN) for line in text.split(terminator) if line.strip()]
    if not lines:
        raise Hl7Error("the message is empty")
    lines[-1] = lines[-1].rstrip()
    has_header = lines[0].startswith(HEADER)
    if not has_header:
        if not allow_null_header:
            raise Hl7Error("invalid message: the first segment must be MSH")
        lines.insert(0, _USUAL_HEADER)
    delimiters = _delimiters(lines[0])
    for line in lines:
        _check_id(line.split(delimiters.field, 1)[0], is_first=line is lines[0])
        if CARRIAGE_RETURN in line:
            raise Hl7Error(_SEGMENT_ERROR)
    segments = [_segment(line, delimiters) for line in lines]
    if segments[0].value(18).strip().upper() not in _ENCODINGS:
        raise Hl7Error(_ENCODING_ERROR)
    return ParsedMessage(delimiters, segments if has_header else segments[1:])


def _delimiters(header: str) -> Delimiters:
    """Return the delimiters that MSH-1 and MSH-2 define."""
    separator = header[3:4]
    others, *rest = header[4:].split(separator, 1) if separator else [""]
    if not rest or not 4 <= len(others) <= 5:
        raise Hl7Error("invalid MSH segment: MSH-2 must hold the 4 or 5 encoding characters")
    found = separator + others
    if len(set(found)) != len(found) or any(_is_text(each) for each in found):
        raise Hl7Error("invalid MSH segment: delimiters must be distinct, and no letters or digits")
    return Delimiters(*found)


def _is_text(character: str) -> bool:
    return character.isalnum() or character.isspace() or not character.isprintable()


def _check_id(segment_id: str, *, is_first: bool) -> None:
    if not _SEGMENT_ID.fullmatch(segment_id):
        raise Hl7Error(_SEGMENT_ERROR)
    if segment_id in _HEADERS and not is_first:
        raise Hl7Error(f"invalid message: {segment_id} is not its first segment")


def _segment(line: str, delimiters: Delimiters) -> Segment:
    """Return a segment, split as `hl7.parse` does it, which takes many times as long."""
    id_, *texts = line.split(delimiters.field)
    fields = [_field(text, delimiters) for text in texts]
    if id_ == HEADER:
        fields[:1] = [[[[delimiters.field]]], [[[delimiters.encoding_characters]]]]
    return Segment(id_, line, [[[[id_]]], *fields])


def _field(text: str, delimiters: Delimiters) -> Field:
    return [
        [component.split(delimiters.subcomponent) for component in each.split(delimiters.component)]
        for each in text.split(delimiters.repetition)
    ]
