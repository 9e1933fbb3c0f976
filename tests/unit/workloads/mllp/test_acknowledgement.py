"""Acknowledgements, read by the library `hl7`, and in the form of the emulator's."""

import re

import hl7
import pytest

from emulator.services.healthcare.hl7v2 import acknowledgement as of_the_store
from tests.support.hl7v2_messages import EUROPEAN, NO_CONTROL_ID, ODD_DELIMITERS, RESULT, admission
from workloads.mllp import acknowledgement
from workloads.mllp.acknowledgement import Acknowledgement

VARYING = rb"\d{14}|[0-9a-f-]{36}"


@pytest.mark.parametrize("data", [admission(), RESULT, ODD_DELIMITERS, NO_CONTROL_ID])
@pytest.mark.parametrize("reason", ["", "some | reason"])
def test_it_has_the_form_of_the_store(data: bytes, reason: str) -> None:
    own = acknowledgement.acknowledge(data, "AE" if reason else "AA", reason)
    other = of_the_store.acknowledge(data, "\r", reason)
    assert re.sub(VARYING, b"*", own) == re.sub(VARYING, b"*", other)


@pytest.mark.parametrize(
    "data", [admission("C-1"), EUROPEAN, admission("C-1").replace(b"\r", b"\n")]
)
def test_the_library_reads_it(data: bytes) -> None:
    answer = hl7.parse(acknowledgement.acknowledge(data).decode("latin-1"))
    assert str(answer["MSA.F1"]) == "AA"
    assert str(answer["MSA.F2"]) == acknowledgement.control_id(data) != ""
    assert str(answer["MSH.F5"]) in ("REG", "KIS")


def test_a_nack_of_bytes_without_a_header_is_readable() -> None:
    answer = acknowledgement.acknowledge(b"\x00\xff", "AR", "no header")
    assert acknowledgement.parse(answer) == Acknowledgement("AR", "", "no header")


def test_an_answer_of_a_peer_is_read() -> None:
    library = str(hl7.parse(admission("C-7").decode()).create_ack("AE")).encode()
    answer = acknowledgement.parse(library)
    assert answer == Acknowledgement("AE", "C-7", "")
    assert (answer.is_accepted, answer.is_rejected) == (False, False)
    commit = acknowledgement.parse(b"MSH|^~\\&|A\nMSA|CA|C-7\n")
    assert commit is not None
    assert commit.is_accepted
    assert acknowledgement.parse(b"MSH|^~\\&|A\rEVN|1") is None
    assert acknowledgement.parse(b"") is None
