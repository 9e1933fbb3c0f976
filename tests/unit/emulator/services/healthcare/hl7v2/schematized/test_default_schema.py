"""The default schema, compared with JSON that Google's parser wrote and with hl7apy."""

import json
from typing import Any

import pytest
from hl7apy.v2_8_2 import DATATYPES_STRUCTS, MESSAGES, SEGMENTS

from emulator.services.healthcare.hl7v2.parsing.syntax import parse
from emulator.services.healthcare.hl7v2.schematized import default_schema
from emulator.services.healthcare.hl7v2.schematized.package import SchemaPackage
from tests.support.hl7v2_messages import RESULT, message

LENIENT = {"ignoreMinOccurs": True}
RADIOLOGY = message(
    "MSH|^~\\&|RIS|RAD|EHR|HOSP|20140811193805||ORU^R01|8971|T|2.3|||AL||44|ASCII",
    "PID|1|1325^^^SIM MRN^MRN|1325^^^SIM MRN^MRN~378^^^NB^NBR||Muster^Anna^^^Mrs^^L||1977|F",
    "PV1|1|O|ED^^^Sim Hospital^^ED^RFH",
    "ORC|RE|19098|34962||CM||||20140811193805",
    "OBR|1|19098|34962|AP Pelvis^AP Pelvis^^^|||20140811" + "|" * 20 + "1",
    "OBX|1|TX|APELV^APELV^^^||No fracture.||||||F",
    "NTE|0||Deposit.",
)


def schematized(data: bytes, **config: Any) -> Any:
    found = SchemaPackage(config).schematize(parse(data))
    assert "error" not in found, found
    assert found["data"] == json.dumps(
        json.loads(found["data"]), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return json.loads(found["data"])


def error(data: bytes, **config: Any) -> str:
    return SchemaPackage(config).schematize(parse(data))["error"]


def test_a_result_has_the_form_of_googles_parser() -> None:
    """The shape of `oru_r01.hl7.fhir.input.json` of Google's healthcare-data-harmonization."""
    result = schematized(RADIOLOGY, **LENIENT)["ORU_R01"]
    assert set(result) == {"MSH", "SFT", "UAC", "PATIENT_RESULT", "DSC"}
    assert (result["SFT"], result["UAC"], result["DSC"]) == (None, None, None)
    header = result["MSH"]
    assert (header["0"], header["1"], header["2"]) == ("MSH", "|", "^~\\&")
    assert header["3"] == {"1": "RIS"}
    assert (header["7"], header["8"]) == ("20140811193805", None)
    assert header["9"] == {"1": "ORU", "2": "R01"}
    assert header["18"] == ["ASCII"]
    assert "19" not in header
    [patient_result] = result["PATIENT_RESULT"]
    patient = patient_result["PATIENT"]
    assert patient["NK1"] is None
    assert patient["VISIT"]["PV1"]["3"] == {
        "1": {"1": "ED"},
        "2": None,
        "3": None,
        "4": {"1": "Sim Hospital"},
        "5": None,
        "6": "ED",
        "7": {"1": "RFH"},
    }
    pid = patient["PID"]
    mrn = {"1": "1325", "2": None, "3": None, "4": {"1": "SIM MRN"}, "5": "MRN"}
    assert pid["2"] == mrn
    assert pid["3"] == [mrn, {"1": "378", "2": None, "3": None, "4": {"1": "NB"}, "5": "NBR"}]
    assert pid["5"][0]["1"] == {"1": "Muster"}
    assert (pid["7"], pid["8"], pid["6"]) == ("1977", {"1": "F"}, None)
    [order] = patient_result["ORDER_OBSERVATION"]
    assert order["COMMON_ORDER"]["ORC"]["2"] == {"1": "19098"}
    assert order["OBR"]["4"]["5"] is None
    assert order["OBR"]["27"] == [{"1": {"1": "1"}}]
    assert order["SPECIMEN"] is None
    [observation] = order["OBSERVATION"]
    assert observation["OBX"]["5"] == [{"1": {"1": "No fracture."}}]
    assert observation["NTE"][0]["3"] == [{"1": {"1": "Deposit."}}]


def test_a_registration_is_called_by_its_event() -> None:
    """The shape of `adt_a04_ex1.hl7.fhir.input.json`: the structure of A01, the name of A04."""
    data = message(
        "MSH|^~\\&|A|B|C|D|2018||ADT^A04|7|P|2.1", "EVN|A04|2018", "PID|1||1||Bunny^B", "PV1|1|E"
    )
    found = schematized(data, **LENIENT)["ADT_A04"]
    assert found["EVN"] == {"0": "EVN", "1": "A04", "2": "2018"}
    assert found["INSURANCE"] is None
    assert found["PV1"]["2"] == {"1": "E"}


def test_groups_that_repeat() -> None:
    result = RESULT.replace(b"LAB&2.16.1&ISO", b"LAB^2.16.1^ISO")
    [patient_result] = schematized(result, **LENIENT)["ORU_R01"]["PATIENT_RESULT"]
    [order] = patient_result["ORDER_OBSERVATION"]
    assert [one["OBX"]["1"] for one in order["OBSERVATION"]] == ["1", "2", "3"]
    two = result + message("OBR|2|ORD2|F2|1^P^L", "OBX|1|ST|1^T^L||x||||||F")
    [patient_result] = schematized(two, **LENIENT)["ORU_R01"]["PATIENT_RESULT"]
    orders = patient_result["ORDER_OBSERVATION"]
    assert [(one["OBR"]["1"], len(one["OBSERVATION"])) for one in orders] == [("1", 3), ("2", 1)]
    next_patient = two + message("PID|2||9^^^X^MR||Other", "OBR|1|O|F|1^P^L")
    results = schematized(next_patient, **LENIENT)["ORU_R01"]["PATIENT_RESULT"]
    assert [one["PATIENT"]["PID"]["1"] for one in results] == ["1", "2"]


def test_what_does_not_fit_has_an_error_without_values() -> None:
    plain = ("MSH|^~\\&|A|B|C|D|2018||ADT^A01^ADT_A01|7|P|2.5", "EVN||2018")
    patient = "PID|1||1^^^X^MR||Secret^Name"
    cases = {
        "missing required PV1 in group ADT_A01": (*plain, patient),
        "unexpected segment ZZZ": (*plain, patient, "ZZZ|Secret", "PV1|1|I"),
        "missing required PID.5": (*plain, "PID|1||1^^^X^MR", "PV1|1|I"),
        "missing required PID.3.5": (*plain, "PID|1||1||Secret", "PV1|1|I"),
        "EVN has more than": (plain[0], "EVN||2018||||||||Secret", patient, "PV1|1|I"),
        "PID.7 has parts": (*plain, f"{patient}||Secret^1", "PV1|1|I"),
        "PID.1 is there more than 1 times": (*plain, patient.replace("PID|1", "PID|1~2"), "PV1|1"),
        "no schema is defined": ("MSH|^~\\&|A|B|C|D|2018||XYZ^Z99|7|P|2.5",),
    }
    for reason, segments in cases.items():
        found = error(message(*segments))
        assert reason in found
        assert "Secret" not in found


def test_events_are_of_structures_that_exist() -> None:
    for key, structure in default_schema.STRUCTURES.items():
        assert structure in MESSAGES, key
        assert key not in MESSAGES, key


def test_a_type_is_a_segment_or_a_data_type() -> None:
    assert set(SEGMENTS) & set(DATATYPES_STRUCTS) == set()


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_structure_of_the_version_is_read(name: str) -> None:
    message_type, _, event = name.partition("_")
    assert default_schema.group(message_type, event) is not None


def test_every_type_of_the_version_is_known() -> None:
    for name in [*SEGMENTS, *DATATYPES_STRUCTS]:
        found = default_schema.find_type(name)
        assert found is not None
        for field in found.fields:
            assert default_schema.find_type(field.type) is not None, f"{name}.{field.name}"
