"""Acknowledgements (MSA): those of the adapter, and those of a peer that it reads.

The adapter writes them in the form of the Healthcare API, so that a sender sees no difference:
sender and receiver swapped, `ACK` in MSH-9, an own control id, MSH-11 and MSH-12 copied. Messages
are read as Latin-1, which keeps the bytes of every encoding that has ASCII's separators.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

ACCEPT, ERROR, REJECT = "AA", "AE", "AR"
_ACCEPTED = {"AA", "CA"}
_REJECTED = {"AR", "CR"}
_USUAL = "|^~\\&"
_CONTROL_ID = 10


@dataclass(frozen=True)
class Acknowledgement:
    """The answer of a peer: HL7's codes AA, AE and AR, or CA, CE and CR.

    Attributes:
        code: MSA-1
        control_id: MSA-2, the MSH-10 of the message
        text: MSA-3
    """

    code: str
    control_id: str
    text: str

    @property
    def is_accepted(self) -> bool:
        """Whether the peer has taken the message."""
        return self.code in _ACCEPTED

    @property
    def is_rejected(self) -> bool:
        """Whether the peer never takes this message."""
        return self.code in _REJECTED


def has_header(data: bytes) -> bool:
    """Whether a message begins with an MSH segment."""
    return data.startswith(b"MSH") and len(data) > len("MSH") + len(_USUAL)


def control_id(data: bytes) -> str:
    """Return MSH-10 of a message; empty if there is none."""
    return _field(_header(data), _CONTROL_ID)


def acknowledge(data: bytes, code: str = ACCEPT, reason: str = "") -> bytes:
    """Return the adapter's own answer to a message.

    Args:
        data: the message, or its first bytes
        code: of MSA-1
        reason: the text of a NACK
    """
    fields = _header(data)
    mark = fields[1]
    header = [
        *("MSH", _field(fields, 2) or _USUAL[1:]),
        *(_field(fields, number) for number in (5, 6, 3, 4)),
        *(datetime.now(UTC).strftime("%Y%m%d%H%M%S"), "", "ACK", str(uuid.uuid4())),
        *(_field(fields, number) for number in (11, 12)),
    ]
    answer = ["MSA", code, _field(fields, _CONTROL_ID)]
    if reason:
        answer.append(reason.replace(mark, " "))
    return "\r".join(mark.join(segment) for segment in (header, answer)).encode("latin-1")


def parse(answer: bytes) -> Acknowledgement | None:
    """Read a peer's answer; return None if it has no MSA segment."""
    mark = _header(answer)[1]
    for line in answer.decode("latin-1").replace("\n", "\r").split("\r"):
        fields = line.split(mark)
        if fields[0] == "MSA":
            return Acknowledgement(*(_field(fields, number) for number in (1, 2, 3)))
    return None


def _header(data: bytes) -> list[str]:
    """Return the fields of the MSH segment, with the field separator as MSH-1."""
    if not has_header(data):
        return ["MSH", _USUAL[0]]
    line = data.decode("latin-1").replace("\n", "\r").split("\r", 1)[0]
    return ["MSH", line[3], *line[4:].split(line[3])]


def _field(fields: list[str], number: int) -> str:
    return fields[number] if number < len(fields) else ""
