"""Segments, fields and delimiters, compared with the packages hl7 and hl7apy."""

from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_segment

from emulator.services.healthcare.hl7v2.parsing.syntax import Hl7Error, ParsedMessage, parse
from tests.support import hl7v2_messages
from tests.support.hl7v2_messages import message

MESSAGES = {
    "admission": hl7v2_messages.admission(),
    "result": hl7v2_messages.RESULT,
    "odd": hl7v2_messages.ODD_DELIMITERS,
}


def second_opinion(parsed: ParsedMessage) -> list[list[str]]:
    """Fields of every segment but MSH, as hl7apy splits and joins them."""
    marks = parsed.delimiters
    characters = {
        "FIELD": marks.field,
        "COMPONENT": marks.component,
        "SUBCOMPONENT": marks.subcomponent,
        "REPETITION": marks.repetition,
        "ESCAPE": marks.escape,
        "SEGMENT": "\r",
        "GROUP": "\r",
    }
    found = []
    for segment in parsed.segments[1:]:
        other = parse_segment(
            segment.text,
            version="2.5",
            encoding_chars=characters,
            validation_level=VALIDATION_LEVEL.TOLERANT,
        )
        # hl7apy escapes the marks of an escape sequence that it does not know.
        text = other.to_er7(characters).replace("\\E\\.br\\E\\", "\\.br\\")
        found.append(text.split(marks.field))
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_are_those_of_hl7apy(name: str) -> None:
    parsed = parse(MESSAGES[name])
    marks = parsed.delimiters
    ours = [
        [
            marks.repetition.join(
                marks.component.join(marks.subcomponent.join(part) for part in repetition).rstrip(
                    marks.component
                )  # hl7apy leaves out empty components at the end
                for repetition in field
            )
            for field in segment.fields
        ]
        for segment in parsed.segments[1:]
    ]
    assert ours == second_opinion(parsed)


def fields_of_hl7(segment: Any) -> list[Any]:
    """Fields as the package hl7 splits them, with the levels that it leaves out."""
    return [
        [
            [[part] if isinstance(part, str) else list(part) for part in repetition]
            if isinstance(repetition, list)
            else [[repetition]]
            for repetition in field
        ]
        for field in segment
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_are_those_of_hl7(name: str) -> None:
    ours = [segment.fields for segment in parse(MESSAGES[name]).segments]
    assert ours == [fields_of_hl7(segment) for segment in hl7.parse(MESSAGES[name])]


@pytest.mark.parametrize("end", ["", "\n", " \r\n", "\x1c"])
def test_space_at_the_end_belongs_to_no_field(end: str) -> None:
    parsed = parse(f"MSH|^~\\&|A\rNTE|1||a {end}".encode())
    assert parsed.segments[1].fields[3] == [[["a"]]]


def test_a_segment_of_another_terminator_holds_no_carriage_return() -> None:
    with pytest.raises(Hl7Error, match="invalid segment"):
        parse(b"MSH|^~\\&|A\nPID|1\rNTE|1\n", "\n")


def test_a_header_counts_its_delimiters_as_fields() -> None:
    header = parse(hl7v2_messages.RESULT).header
    assert header is not None
    assert header.value(1) == "|"
    assert header.value(2) == "^~\\&"
    assert header.fields[3] == [[["LAB", "2.16.1", "ISO"]]]
    assert (header.value(9), header.value(9, 2), header.value(10)) == ("ORU", "R01", "L-77")
    assert header.value(99) == ""


def test_the_delimiters_of_a_message_are_its_own() -> None:
    parsed = parse(hl7v2_messages.ODD_DELIMITERS)
    assert parsed.delimiters.encoding_characters == "*#@!"
    assert parsed.segments[1].fields[5] == [[["Doe"], ["Jo", "Ann"]]]


def test_a_truncation_character_may_be_the_fifth() -> None:
    assert parse(message("MSH|^~\\&#|A")).delimiters.truncation == "#"


@pytest.mark.parametrize("terminator", ["\n", "\x1e", "<end>"])
def test_another_terminator(terminator: str) -> None:
    data = message("MSH|^~\\&|A|B", "PID|1||2", terminator=terminator)
    assert [each.id for each in parse(data, terminator).segments] == ["MSH", "PID"]


def test_lines_of_windows_with_the_terminator_of_unix() -> None:
    data = message("MSH|^~\\&|A|B", "PID|1||2", terminator="\r\n")
    assert parse(data, "\n").segments[1].fields[3] == [[["2"]]]


def test_a_message_without_a_header_needs_the_setting() -> None:
    data = message("PID|1||2^^^X^MR", "NTE|1||a&b")
    with pytest.raises(Hl7Error, match="the first segment must be MSH"):
        parse(data)
    parsed = parse(data, allow_null_header=True)
    assert parsed.header is None
    assert parsed.segments[0].value(3, 5) == "MR"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\r\r ", "is empty"),
        (b"hello", "first segment must be MSH"),
        (b"MSH", "MSH-2"),
        (b"MSH|", "MSH-2"),
        (b"MSH|^~\\&", "MSH-2"),
        (b"MSH|^~|A", "MSH-2"),
        (b"MSH|^~\\&##|A", "MSH-2"),
        (b"MSH|^^\\&|A", "distinct"),
        (b"MSHA^~\\&AB", "distinct"),
        (b"MSH|^~\\&|A\rPI|1", "invalid segment"),
        (b"MSH|^~\\&|A\rpid|1", "invalid segment"),
        (b"MSH|^~\\&|A\rMSH|^~\\&|B", "MSH is not its first segment"),
        (b"MSH|^~\\&|A\rBHS|^~\\&|B", "BHS is not its first segment"),
        (b"MSH|^~\\&|\xff", "only ASCII and UTF-8"),
        (hl7v2_messages.EUROPEAN, "only ASCII and UTF-8"),
        (message("MSH|^~\\&|A|||||||||||||||8859/1"), "only ASCII and UTF-8"),
        (b"MSH|^~\\&|A\nPID|1||||||||||||||x\nNTE|1||y", "only ASCII and UTF-8"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Hl7Error, match=reason):
        parse(data)
