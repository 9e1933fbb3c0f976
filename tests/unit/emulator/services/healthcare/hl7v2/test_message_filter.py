"""The fields and functions of filters, as the reference of `messages.list` names them."""

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.hl7v2.message_filter import compile_filter

MESSAGE = {
    "createTime": "2024-03-05T10:00:00.123456Z",
    "sendTime": "2024-03-01T23:30:00Z",
    "messageType": "ADT",
    "sendFacility": "North Wing",
    "patientIds": [{"value": "123456", "type": "MRN"}, {"value": "7"}],
    "labels": {"priority": "high"},
}
MATCHING = [
    "",
    'message_type = "ADT"',
    "messageType = adt",
    'NOT message_type = "ORU"',
    'send_facility = "wing"',
    'sendDate = "2024-03-02"',
    'send_date < "2024-03-03" AND send_date >= "2024-03-02"',
    'send_time < "2024-03-01T19:00:00-05:00"',
    'create_time > "2024-03-05T10:00:00Z"',
    'PatientId("123456", "MRN")',
    'labels."priority"="high"',
    'labels."priority":*',
    "labels.priority=high OR labels.other:*",
    'NOT (PatientId("7", "MRN") OR message_type = "ORU")',
]
OTHERS = [
    'message_type = "ORU"',
    'send_date = "2024-03-01"',
    'send_time > "2024-03-02T00:00:00Z"',
    'PatientId("123456", "PI")',
    'PatientId("7", "MRN")',
    "labels.priority=low",
    "labels.other:*",
]
REFUSED = [
    "color = red",
    'message_type != "ADT"',
    'message_type < "ADT"',
    'send_date = "March"',
    'send_date = "2024-3-1"',
    "send_time = noon",
    'PatientId("1")',
    "Patient(1, 2)",
    "ADT",
    "message_type =",
]


@pytest.mark.parametrize("text", MATCHING)
def test_a_message_matches(text: str) -> None:
    assert compile_filter(text, "Europe/Zurich")(MESSAGE)


@pytest.mark.parametrize("text", OTHERS)
def test_a_message_does_not_match(text: str) -> None:
    assert not compile_filter(text, "Europe/Zurich")(MESSAGE)


@pytest.mark.parametrize("text", [each for each in MATCHING if each and "NOT" not in each])
def test_a_field_that_is_missing_matches_nothing(text: str) -> None:
    assert not compile_filter(text, "UTC")({})


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_a_filter_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        compile_filter(text, "UTC")
    assert refusal.value.code == 400
