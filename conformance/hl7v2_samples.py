"""HL7v2 messages that checks send, and what they compare of acknowledgements."""

import base64
import json
import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"(?<!\d)20\d{12}(\.\d+)?([+-]\d{4})?(?!\d)")
_ANSWERS = ("hl7Ack", "hl7Nack")


def body(*segments: str, terminator: str = "\r", **labels: str) -> dict[str, Any]:
    """Return the body of a request that creates or ingests a message."""
    return raw_body(terminator.join(segments).encode(), **labels)


def raw_body(data: bytes, **labels: str) -> dict[str, Any]:
    """Return the body of a request with these bytes as its message."""
    message = {"data": base64.b64encode(data).decode()}
    return {"message": message | ({"labels": labels} if labels else {})}


def lines(*messages: dict[str, Any] | str) -> bytes:
    """Return a file of an import: a message a line, from bodies or as it is written."""
    texts = [each if isinstance(each, str) else json.dumps(each["message"]) for each in messages]
    return "\n".join(texts).encode()


def header(control_id: str = "C1", message_type: str = "ADT^A01", rest: str = "") -> str:
    """Return an MSH segment."""
    return f"MSH|^~\\&|APP|WARD|LAB|EAST|2024030107||{message_type}|{control_id}|P|2.5.1{rest}"


PATIENT = "PID|1|1^^^X^PI|2^^^X^MR~3^^^Y||Sample^Synthetic&Sub^^^||19700101|F"
RESULT = (
    header("C2", "ORU^R01^ORU_R01"),
    PATIENT,
    "OBR|1|ORD1|FIL1|1^Panel^L",
    "OBX|1|ST|2^Text^L||a \\T\\ b \\F\\ c~second||||||F",
)


def readable(value: Any) -> Any:
    """Return an answer with its acknowledgements as text, without their times and control ids."""
    if isinstance(value, list):
        return [readable(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _decoded(each) if key in _ANSWERS else readable(each) for key, each in value.items()
    }


def _decoded(encoded: str) -> str:
    text = base64.b64decode(encoded).decode("utf-8", "replace")
    return _TIME.sub("{HL7 time}", _UUID.sub("{control id}", text))
