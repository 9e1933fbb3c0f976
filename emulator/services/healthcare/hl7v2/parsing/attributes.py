"""The attributes of messages that lists and filters use, and the date and time of HL7.

The fields of each attribute are documented in the reference of `Message`. Inferred (conformance:
hl7v2-attributes): the components, and that a value which is not a date leaves `sendTime` out.
"""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import hl7

from emulator.core.timestamps import to_rfc3339
from emulator.services.healthcare.hl7v2.parsing.syntax import ParsedMessage

_TIMESTAMP = re.compile(r"\d{4}(\d\d){0,5}(\.\d{1,4})?([+-]\d{4})?")
_PATIENT_ID_FIELDS = (2, 3, 4)
_ID_TYPE = 5
"""The component of CX that holds the type of an id."""


def attributes(message: ParsedMessage, time_zone: str) -> dict[str, Any]:
    """Return `messageType`, `sendFacility`, `sendTime` and `patientIds`, those that are there.

    Args:
        message: the message
        time_zone: of the dataset, for times without an offset
    """
    header = message.header
    found: dict[str, Any] = {"patientIds": _patient_ids(message)}
    if header is not None:
        found["messageType"] = header.value(9)
        found["sendFacility"] = header.value(4)
        found["sendTime"] = timestamp(header.value(7), time_zone)
    return {name: value for name, value in found.items() if value}


def timestamp(text: str, time_zone: str) -> str:
    """Return a date and time of HL7 (DTM) in RFC 3339, in UTC; empty if it is not valid.

    Args:
        text: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`
        time_zone: an IANA name, for a text without an offset
    """
    if not _TIMESTAMP.fullmatch(text):
        return ""
    try:
        moment: datetime = hl7.parse_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(time_zone))
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return to_rfc3339(utc, "microseconds" if utc.microsecond else "seconds")


def _patient_ids(message: ParsedMessage) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for segment in message.all("PID"):
        for number in _PATIENT_ID_FIELDS:
            for index in range(len(segment.fields[number]) if number < len(segment.fields) else 0):
                value = segment.value(number, 1, index)
                type_ = segment.value(number, _ID_TYPE, index)
                if value:
                    found.append({"value": value, **({"type": type_} if type_ else {})})
    return found
