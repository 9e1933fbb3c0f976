"""Empty components and values that are no numbers: the same in JSON, XML and BigQuery."""

import io
import json
import re
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from emulator.services.healthcare.dicom.dicomweb import native_xml
from emulator.services.healthcare.dicom.parsing import instance_json
from emulator.services.healthcare.dicom.parsing.instance_json import InstanceJson
from tests.support.dicom_files import make_dicom


def with_bytes(keyword: str, value: bytes, *, nested: bool = False) -> Dataset:
    """Read a file whose element has these bytes, though pydicom would not make them."""
    tag = pydicom.tag.Tag(keyword)
    vr = pydicom.datadict.dictionary_VR(tag)
    assert len(value) % 2 == 0
    raw = RawDataElement(tag, vr, len(value), value, 0, False, True)
    dataset = pydicom.dcmread(io.BytesIO(make_dicom()))
    inner = Dataset({tag: raw})
    if nested:
        dataset.ContentSequence = [inner]
    else:
        dataset.update(inner)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return pydicom.dcmread(io.BytesIO(buffer.getvalue()))


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def in_xml(instance: InstanceJson, tag: str) -> list[tuple[int, str]]:
    """Return the numbers and the texts of an element's values in the Native DICOM Model."""
    text = native_xml.document({tag: instance.model[tag]}).decode()
    return [
        (int(number), value)
        for number, value in re.findall(r'number="(\d+)">([^<]*)</Value>', text)
    ]


CASES = [
    ("WindowWidth", b"NaN ", ["NaN"], ["NaN"]),
    ("WindowWidth", b"400\\inf ", [400, "inf"], ["400", "inf"]),
    ("WindowCenter", b"1e400 ", ["1e400"], ["1e400"]),
    ("ImagePositionPatient", b"1\\\\3", [1, None, 3], ["1", "", "3"]),
    ("ImagePositionPatient", b"\\2\\ ", [None, 2, None], ["", "2", ""]),
    ("PixelSpacing", b"0,5\\0.50", ["0,5", 0.5], ["0,5", "0.50"]),
    ("ImageType", b"ORIGINAL\\\\AXIAL ", ["ORIGINAL", None, "AXIAL"], ["ORIGINAL", "", "AXIAL"]),
    ("ImageType", b"ORIGINAL\\ \\AXIAL", ["ORIGINAL", None, "AXIAL"], ["ORIGINAL", "", "AXIAL"]),
    ("OtherPatientIDs", b"\\b", [None, "b"], ["", "b"]),
    ("ReferencedFrameNumber", b"1\\\\x", [1, None, "x"], ["1", "", "x"]),
]


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "nested"])
@pytest.mark.parametrize(("keyword", "value", "in_json", "in_bigquery"), CASES)
def test_a_value_keeps_its_position_and_its_text(
    keyword: str, value: bytes, in_json: list[Any], in_bigquery: list[str], nested: bool
) -> None:
    instance = instance_json.serialize(with_bytes(keyword, value, nested=nested))
    model, row = strict(instance.metadata()), strict(instance.row())
    if nested:
        [model], [row] = model["0040A730"]["Value"], row["ContentSequence"]
    tag = f"{pydicom.datadict.tag_for_keyword(keyword):08X}"
    vr = pydicom.datadict.dictionary_VR(keyword)
    assert model[tag] == {"vr": vr, "Value": in_json}
    assert row[keyword] == in_bigquery
    if not nested:
        assert in_xml(instance, tag) == [
            (number, str(one)) for number, one in enumerate(in_json, 1) if one is not None
        ]


@pytest.mark.parametrize(
    ("keyword", "value", "in_json", "in_bigquery"),
    [
        ("SliceThickness", b"3,5 ", ["3,5"], "3,5"),
        ("InstanceNumber", b"1a", ["1a"], "1a"),
        ("InstanceNumber", b"1.50", [1.5], "1.50"),
        ("PatientID", b"a\\", ["a", None], "a"),
        ("PatientID", b"a\\\\b", ["a", None, "b"], "a\\\\b"),
    ],
)
def test_a_single_value(keyword: str, value: bytes, in_json: list[Any], in_bigquery: str) -> None:
    instance = instance_json.serialize(with_bytes(keyword, value))
    tag = f"{pydicom.datadict.tag_for_keyword(keyword):08X}"
    assert instance.model[tag]["Value"] == in_json
    assert json.loads(instance.row())[keyword] == in_bigquery


def test_a_whole_number_is_written_so() -> None:
    instance = instance_json.serialize(with_bytes("WindowCenter", b"2048\\-1.0\\1e3\\.5"))
    assert '"00281050":{"Value":[2048,-1,1000,0.5],"vr":"DS"}' in instance.metadata()


def test_a_name_with_an_empty_one_behind_it_is_a_name() -> None:
    instance = instance_json.serialize(with_bytes("PatientName", b"DOE^JOHN\\ "))
    assert instance.model["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "DOE^JOHN"}, None]}
    assert json.loads(instance.row())["PatientName"] == {
        "Alphabetic": {"FamilyName": "DOE", "GivenName": "JOHN"}
    }


def test_an_empty_name_among_others_keeps_its_position() -> None:
    instance = instance_json.serialize(with_bytes("OtherPatientNames", b"A\\\\B=C"))
    assert instance.model["00101001"]["Value"] == [
        {"Alphabetic": "A"},
        None,
        {"Alphabetic": "B", "Ideographic": "C"},
    ]
    assert json.loads(instance.row())["OtherPatientNames"] == [
        {"Alphabetic": {"FamilyName": "A"}},
        {},
        {"Alphabetic": {"FamilyName": "B"}, "Ideographic": {"FamilyName": "C"}},
    ]


def test_a_group_that_is_empty_is_left_out_of_a_name() -> None:
    instance = instance_json.serialize(with_bytes("PatientName", b"=X"))
    assert instance.model["00100010"]["Value"] == [{"Ideographic": "X"}]


def test_an_empty_date_among_others_is_dropped_and_named_as_no_array_holds_null() -> None:
    instance = instance_json.serialize(with_bytes("DateOfLastCalibration", b"20240102\\ "))
    assert instance.model["00181200"]["Value"] == ["20240102", None]
    row = json.loads(instance.row())
    assert row["DroppedTags"] == ["DateOfLastCalibration"]
    assert "DateOfLastCalibration" not in row


def test_values_of_private_elements_read_the_same() -> None:
    dataset = Dataset()
    block = dataset.private_block(0x0019, "ACME", create=True)
    block.add_new(1, "LO", ["a", "", "b"])
    block.add_new(2, "FD", [float("nan"), float("-inf"), 1.5])
    block.add_new(3, "AT", [0x00280009])
    instance = instance_json.serialize(dataset)
    model = strict(instance.metadata())
    tags = ("00191001", "00191002", "00191003")
    assert [model[tag]["Value"] for tag in tags] == [
        ["a", None, "b"],
        ["NaN", "-inf", 1.5],
        ["00280009"],
    ]
    others = {one["Tag"]: one["Data"] for one in json.loads(instance.row())["OtherElements"]}
    assert [others[f"Tag_{tag}"] for tag in tags] == [
        ["a", "", "b"],
        ["NaN", "-inf", "1.5"],
        ["00280009"],
    ]
