"""A hospital information system: it sends admissions and reports by MLLP.

Segments are those of HL7 2.5.1: https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import hl7
from hl7.client import MLLPClient

from scripts.lib.errors import ScriptError

Address = tuple[str, int]
_HINT = "Check that this machine reaches the adapter: its address is internal to the VPC network."


@dataclass(frozen=True)
class Examination:
    """The hospital's knowledge of one study.

    Attributes:
        patient: PatientID of the pictures
        study: Study Instance UID
        finding: what the report says
    """

    patient: str
    study: str
    finding: str


@dataclass(frozen=True)
class Message:
    """A message to send.

    Attributes:
        control_id: MSH-10
        event: such as ADT^A01
        text: segments, each ended by a carriage return
    """

    control_id: str
    event: str
    text: str


def messages(examinations: Iterable[Examination]) -> list[Message]:
    """Return the messages of each examination: an admission, a change of ward, a report."""
    return [message for one in examinations for message in _of_examination(one)]


def _of_examination(examination: Examination) -> list[Message]:
    patient = f"PID|1||{examination.patient}^^^HOSPITAL^MR||Patient^Number {examination.patient}"
    report = [
        f"OBR|1|||36643-5^XR Chest 2 Views^LN|||{_now()}",
        f"OBX|1|ST|113014^Study Instance UID^DCM||{examination.study}||||||F",
        f"OBX|2|TX|59776-5^Procedure findings^LN||{examination.finding}||||||F",
    ]
    return [
        _message("ADT^A01^ADT_A01", ["EVN||" + _now(), patient, "PV1|1|I|EMERGENCY^1^A"]),
        _message("ADT^A08^ADT_A01", ["EVN||" + _now(), patient, "PV1|1|I|RADIOLOGY^2^B"]),
        _message("ORU^R01^ORU_R01", [patient, *report]),
    ]


def _message(event: str, segments: Sequence[str]) -> Message:
    control_id = uuid.uuid4().hex[:20].upper()
    header = f"MSH|^~\\&|HIS|HOSPITAL|ADAPTER|CLOUD|{_now()}||{event}|{control_id}|P|2.5.1"
    text = "".join(f"{segment}\r" for segment in (header, *segments))
    return Message(control_id, event, text)


def _now() -> str:
    return datetime.now().strftime("%Y%m%d%H%M%S")


def send(sent: Iterable[Message], address: Address) -> None:
    """Send messages on one connection, each after the acknowledgement of the one before.

    Raises:
        ScriptError: the adapter can't be reached, or does not accept a message
    """
    host, port = address
    try:
        with MLLPClient(host, port) as client:
            for message in sent:
                _check(message, client.send_message(message.text.encode()).decode())
    except OSError as error:
        raise ScriptError(f"Sending to {host}:{port} failed: {error}.", _HINT) from error


def _check(message: Message, answer: str) -> None:
    try:
        acknowledged = hl7.parse(answer.strip("\x0b\x1c\r")).segment("MSA")
    except (KeyError, hl7.HL7Exception) as error:
        raise ScriptError(
            f"The answer to {message.control_id} is not a valid acknowledgement."
        ) from error
    if str(acknowledged[1]) != "AA" or str(acknowledged[2]) != message.control_id:
        raise ScriptError(f"{message.control_id} was refused: {acknowledged}.")
