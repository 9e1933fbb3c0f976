"""The form of ACK and NACK, as the recordings of Google's MLLP adapter have it."""

import re
import uuid

import hl7
import pytest

from emulator.services.healthcare.hl7v2.acknowledgement import acknowledge
from tests.support import hl7v2_messages

SAMPLE = hl7v2_messages.admission("CTRL-9")


def test_an_ack_swaps_sender_and_receiver() -> None:
    answer = acknowledge(SAMPLE, "\r").decode()
    header, msa = answer.split("\r")
    fields = header.split("|")
    assert fields[:6] == ["MSH", "^~\\&", "LAB", "SOUTH", "REG", "NORTH"]
    assert re.fullmatch(r"\d{14}", fields[6])
    assert fields[7:9] == ["", "ACK"]
    assert uuid.UUID(fields[9]).version == 4
    assert fields[10:] == ["P", "2.5.1"]
    assert msa == "MSA|AA|CTRL-9"


def test_a_nack_has_the_reason() -> None:
    msa = acknowledge(SAMPLE, "\r", "unsupported | encoding").decode().split("\r")[1]
    assert msa == "MSA|AE|CTRL-9|unsupported   encoding"


def test_an_answer_has_the_delimiters_of_the_message() -> None:
    header, msa = acknowledge(hl7v2_messages.ODD_DELIMITERS, "\r").decode().split("\r")
    assert header.startswith("MSH$*#@!$EHR$NORTH$ODD$EAST$")
    assert msa == "MSA$AA$ODD-1"


def test_two_answers_have_control_ids_of_their_own() -> None:
    ids = {hl7.parse(acknowledge(SAMPLE, "\r").decode())["MSH.10"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("data", [b"", b"hello", b"MSH", b"MSH|", b"\xff\xfe", b"PID|1"])
def test_a_damaged_message_has_a_nack_too(data: bytes) -> None:
    header, msa = acknowledge(data, "\r", "bad").decode().split("\r")
    assert header.startswith("MSH|^~\\&|||||")
    assert msa == "MSA|AE||bad"


def test_a_header_without_a_control_id() -> None:
    answer = acknowledge(hl7v2_messages.NO_CONTROL_ID, "\r").decode()
    assert answer.endswith("\rMSA|AA|")
