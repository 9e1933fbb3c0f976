"""ParsedData by parser version, and the attributes of messages."""

from typing import Any

import pytest
from hl7apy.v2_8_2.fields import FIELDS

from emulator.services.healthcare.hl7v2.parsing import parsed_data
from emulator.services.healthcare.hl7v2.parsing.attributes import attributes, timestamp
from emulator.services.healthcare.hl7v2.parsing.syntax import parse
from tests.support import hl7v2_messages
from tests.support.hl7v2_messages import message


def segments(data: bytes, version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parsed_data.parsed_data(parse(data), version)["segments"]
    return found


def test_v1_leaves_out_msh_1_and_counts_one_less() -> None:
    first = segments(hl7v2_messages.admission(), "V1")[0]
    assert first["segmentId"] == "MSH"
    assert first["fields"]["0"] == "MSH"
    assert first["fields"]["1"] == "^~\\&"
    assert first["fields"]["2"] == "REG"
    assert first["fields"]["8.1"] == "ADT"


@pytest.mark.parametrize("version", ["V2", "V3"])
def test_v2_and_v3_count_as_the_standard(version: str) -> None:
    first = segments(hl7v2_messages.admission(), version)[0]
    assert first["fields"]["1"] == "|"
    assert first["fields"]["2"] == "^~\\&"
    assert first["fields"]["9.2"] == "A01"
    assert first["fields"]["10"] == "MSG00001"


def test_keys_of_repetitions_components_and_subcomponents() -> None:
    pid = segments(hl7v2_messages.admission(), "V2")[2]
    assert pid["setId"] == "1"
    assert pid["fields"] == {
        "0": "PID",
        "1": "1",
        "2.1": "7001",
        "2.4": "NORTH",
        "2.5": "PI",
        "3[0].1": "7002",
        "3[0].4": "NORTH",
        "3[0].5": "MR",
        "3[1].1": "900-11-2222",
        "3[1].4": "STATE",
        "3[1].5": "SS",
        "5.1": "Muster",
        "5.2": "Änne",
        "5.3": "B",
        "7": "19610615",
        "8": "F",
    }
    codes = segments(hl7v2_messages.RESULT, "V2")[5]["fields"]
    assert {key: codes[key] for key in codes if key.startswith("5")} == {
        "5[0].1": "A",
        "5[0].2.1": "one",
        "5[0].2.2": "1",
        "5[1].1": "B",
        "5[1].2.1": "two",
        "5[1].2.2": "2",
    }
    assert segments(hl7v2_messages.RESULT, "V2")[0]["fields"]["3.1.2"] == "2.16.1"


def test_v3_alone_unescapes_delimiters() -> None:
    raw = "high \\T\\ rising \\F\\ see \\.br\\ note"
    assert segments(hl7v2_messages.RESULT, "V2")[4]["fields"]["5"] == raw
    assert segments(hl7v2_messages.RESULT, "V3")[4]["fields"]["5"] == (
        "high & rising | see \\.br\\ note"
    )
    every = message("MSH|^~\\&#|A", "NTE|1||\\F\\\\S\\\\T\\\\R\\\\E\\\\P\\\\X41\\")
    assert segments(every, "V3")[1]["fields"]["3"] == "|^&~\\#\\X41\\"
    odd = message("MSH$*#@!$A", "NTE$1$$a@F@b@E@c\\F\\")
    assert segments(odd, "V3")[1]["fields"]["3"] == "a$b@c\\F\\"


def test_segments_with_a_set_id_are_those_of_the_standard() -> None:
    standard = {
        name.removesuffix("_1")
        for name, field in FIELDS.items()
        if name.endswith("_1") and "SET_ID" in str(field[3])
    }
    assert standard == parsed_data._SET_ID_SEGMENTS


def test_attributes_of_a_message() -> None:
    assert attributes(parse(hl7v2_messages.admission()), "Europe/Zurich") == {
        "messageType": "ADT",
        "sendFacility": "NORTH",
        "sendTime": "2024-02-29T07:15:00Z",
        "patientIds": [
            {"value": "7001", "type": "PI"},
            {"value": "7002", "type": "MR"},
            {"value": "900-11-2222", "type": "SS"},
        ],
    }


def test_attributes_that_are_missing_are_left_out() -> None:
    assert attributes(parse(message("MSH|^~\\&|A", "PID|1||55")), "UTC") == {
        "patientIds": [{"value": "55"}]
    }


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024", "2024-01-01T00:00:00Z"),
        ("20240229", "2024-02-29T00:00:00Z"),
        ("202402291530+0100", "2024-02-29T14:30:00Z"),
        ("202402291530-0330", "2024-02-29T19:00:00Z"),
        ("20240301120000.1234+0100", "2024-03-01T11:00:00.123400Z"),
        ("20240230", ""),
        ("20240229250000", ""),
        ("yesterday", ""),
        ("00010101+1400", ""),
        ("", ""),
    ],
)
def test_dates_and_times(text: str, instant: str) -> None:
    assert timestamp(text, "UTC") == instant


def test_the_time_zone_of_the_dataset_counts_in_summer_too() -> None:
    assert timestamp("20240701120000", "Europe/Zurich") == "2024-07-01T10:00:00Z"
    assert timestamp("20240101120000", "Europe/Zurich") == "2024-01-01T11:00:00Z"
