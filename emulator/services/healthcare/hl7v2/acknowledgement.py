"""Acknowledgements: the ACK of a message that is stored, and the NACK of one that is not.

Observed in the recordings of https://github.com/GoogleCloudPlatform/mllp (its issues 9 and 21):
sender and receiver swapped, `ACK` in MSH-9, a control id of its own, MSH-11 and MSH-12 copied, and
an MSA segment with the control id of the message; no terminator at the end. Inferred (conformance:
hl7v2-nack, hl7v2-nack-no-header): the NACK of a message whose header can't be read.
"""

import uuid
from datetime import UTC, datetime

from emulator.services.healthcare.hl7v2.parsing.syntax import CARRIAGE_RETURN, HEADER

ACCEPT, ERROR = "AA", "AE"
_CONTROL_ID = 10
_USUAL = "|^~\\&"


def acknowledge(data: bytes, terminator: str, reason: str = "") -> bytes:
    """Return the answer to a message.

    Args:
        data: the raw message, which may be damaged
        terminator: of its segments
        reason: the error of a message that is refused; empty for an ACK
    """
    line = data.decode("utf-8", "replace").split(terminator, 1)[0]
    has_header = line.startswith(HEADER) and len(line) > len(_USUAL) + len(HEADER)
    mark = line[3] if has_header else _USUAL[0]
    fields = ["", mark, *line.split(mark)[1:]] if has_header else []

    def copied(number: int) -> str:
        return fields[number] if number < len(fields) else ""

    header = [
        HEADER,
        copied(2) or _USUAL[1:],
        *(copied(number) for number in (5, 6, 3, 4)),
        datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
        "",
        "ACK",
        str(uuid.uuid4()),
        copied(11),
        copied(12),
    ]
    answer = ["MSA", ERROR if reason else ACCEPT, copied(_CONTROL_ID)]
    if reason:
        answer.append(reason.replace(mark, " "))
    return CARRIAGE_RETURN.join(mark.join(segment) for segment in (header, answer)).encode()
