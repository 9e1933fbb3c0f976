"""HL7v2 messages in the manner of several vendors; all persons are invented."""

import base64
from collections.abc import Mapping
from typing import Any


def message(*segments: str, terminator: str = "\r", encoding: str = "utf-8") -> bytes:
    """Return the bytes of a message."""
    return (terminator.join(segments) + terminator).encode(encoding)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def body(data: bytes, **labels: str) -> Mapping[str, Any]:
    """The body of a request that creates or ingests a message."""
    return {"message": {"data": encoded(data), **({"labels": labels} if labels else {})}}


def admission(control_id: str = "MSG00001", sent: str = "20240229081500") -> bytes:
    return message(
        f"MSH|^~\\&|REG|NORTH|LAB|SOUTH|{sent}||ADT^A01|{control_id}|P|2.5.1|||AL|NE||UTF-8",
        f"EVN|A01|{sent}",
        "PID|1|7001^^^NORTH^PI|7002^^^NORTH^MR~900-11-2222^^^STATE^SS||Muster^Änne^B||19610615|F",
        "NK1|1|Muster^Otto|SPO",
        "PV1|1|I|2000^2012^01||||004777^Attend^Aaron^A",
    )


RESULT = message(
    "MSH|^~\\&|LAB&2.16.1&ISO|SOUTH|EHR|NORTH|20240301120000.1234+0100||ORU^R01^ORU_R01|L-77|P|2.5.1",
    "PID|1||7002^^^NORTH^MR||Muster^Anne",
    "OBR|1|ORD1|FIL1|24323-8^Panel^LN|||20240301113000",
    "OBX|1|NM|2345-7^Glucose^LN||98|mg/dL|70-99|N|||F",
    "OBX|2|ST|X^Remark^L||high \\T\\ rising \\F\\ see \\.br\\ note||||||F",
    "OBX|3|CWE|Y^Codes^L||A^one&1~B^two&2||||||F",
)
"""Escape sequences, repetitions and subcomponents."""

ODD_DELIMITERS = message(
    "MSH$*#@!$ODD$EAST$EHR$NORTH$20240301$$ORM*O01$ODD-1$T$2.3",
    "PID$1$$55*****$$Doe*Jo!Ann",
)

NO_CONTROL_ID = message("MSH|^~\\&|A|B|C|D|2024||ACK")
EUROPEAN = message(
    "MSH|^~\\&|KIS|WEST|RIS|OST|202402291530+0100||ORM^O01|K1|P|2.3.1||||||8859/1",
    "PID|1||1^^^WEST^PI||Müller^Jörg",
    encoding="latin-1",
)
"""An encoding that the service does not take."""
