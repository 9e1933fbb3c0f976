"""The BigQuery table's rules, VR by VR."""

import io
import json
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from emulator.services.healthcare.clients.table_schema import merge, to_api
from emulator.services.healthcare.dicom.parsing import instance_json
from emulator.services.healthcare.dicom.parsing.bigquery_schema import ALWAYS, PERSON_NAME


def row_and_schema(dataset: Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    found = instance_json.serialize(dataset)
    return json.loads(found.row()), json.loads(found.schema())


def with_element(keyword: str, value: Any) -> Dataset:
    dataset = Dataset()
    setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("keyword", "value", "column_type", "mode", "expected"),
    [
        ("RetrieveAETitle", ["A", "B"], "STRING", "REPEATED", ["A", "B"]),  # AE
        ("PatientAge", "057Y", "STRING", "NULLABLE", "057Y"),  # AS
        ("Modality", "DX", "STRING", "NULLABLE", "DX"),  # CS
        ("PatientID", "88", "STRING", "NULLABLE", "88"),  # LO
        ("ImageComments", "text", "STRING", "NULLABLE", "text"),  # LT
        ("AccessionNumber", "a", "STRING", "NULLABLE", "a"),  # SH
        ("InstitutionAddress", "street", "STRING", "NULLABLE", "street"),  # ST
        ("LongCodeValue", "v", "STRING", "NULLABLE", "v"),  # UC
        ("SOPInstanceUID", "1.2", "STRING", "NULLABLE", "1.2"),  # UI
        ("RetrieveURL", "http://x", "STRING", "NULLABLE", "http://x"),  # UR
        ("TextValue", "t", "STRING", "NULLABLE", "t"),  # UT
        ("PixelSpacing", ["0.10", "0.2"], "STRING", "REPEATED", ["0.10", "0.2"]),  # DS
        ("InstanceNumber", "07", "STRING", "NULLABLE", "07"),  # IS
        ("StudyDate", "20170131", "DATE", "NULLABLE", "2017-01-31"),
        ("StudyDate", "2017.01.31", "DATE", "NULLABLE", "2017-01-31"),
        ("StudyTime", "0910", "TIME", "NULLABLE", "09:10:00"),
        ("StudyTime", "091011.5", "TIME", "NULLABLE", "09:10:11.500000"),
        (
            "AcquisitionDateTime",
            "20170131120000+0200",
            "TIMESTAMP",
            "NULLABLE",
            "2017-01-31T10:00:00+00:00",
        ),
        ("ExaminedBodyThickness", 1.5, "FLOAT", "NULLABLE", 1.5),  # FL
        ("TableOfParameterValues", [1.5, 2.5], "FLOAT", "REPEATED", [1.5, 2.5]),
        ("EventTimeOffset", float("nan"), "FLOAT", "NULLABLE", "NaN"),  # FD
        ("Rows", 256, "INTEGER", "NULLABLE", 256),  # US
        ("TagAngleSecondAxis", -3, "INTEGER", "NULLABLE", -3),  # SS
        ("ReferencedFrameNumbers", [1, 2], "INTEGER", "REPEATED", [1, 2]),
        ("SelectorULValue", [7], "INTEGER", "REPEATED", [7]),  # UL
        ("ReferencePixelX0", -8, "INTEGER", "NULLABLE", -8),  # SL
        ("SmallestImagePixelValue", 5, "INTEGER", "NULLABLE", 5),  # US or SS
        ("FrameIncrementPointer", [0x00181063], "INTEGER", "REPEATED", [0x00181063]),  # AT
    ],
)
def test_type_mode_and_value(
    keyword: str, value: Any, column_type: str, mode: str, expected: Any
) -> None:
    if keyword not in pydicom.datadict.keyword_dict:
        pytest.skip(f"this dictionary has no {keyword}")
    row, schema = row_and_schema(with_element(keyword, value))
    assert schema == {keyword: {"type": column_type, "mode": mode}}
    assert row == {keyword: expected}


def test_person_names_have_all_groups() -> None:
    row, schema = row_and_schema(with_element("PatientName", "Yamada^Tarou^^Dr=山田^太郎"))
    assert schema["PatientName"] == {"type": "RECORD", "mode": "NULLABLE", "fields": PERSON_NAME}
    assert row["PatientName"] == {
        "Alphabetic": {"FamilyName": "Yamada", "GivenName": "Tarou", "NamePrefix": "Dr"},
        "Ideographic": {"FamilyName": "山田", "GivenName": "太郎"},
    }
    assert set(PERSON_NAME) == {"Alphabetic", "Ideographic", "Phonetic"}
    assert len(PERSON_NAME["Phonetic"]["fields"]) == 5


def test_file_meta_elements_are_columns(make: Any) -> None:
    row, schema = row_and_schema(pydicom.dcmread(io.BytesIO(make())))
    assert row["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    assert schema["MediaStorageSOPClassUID"]["type"] == "STRING"
    assert "FileMetaInformationVersion" not in schema  # OB
    assert "FileMetaInformationGroupLength" not in schema


def test_sequences_are_nested_records() -> None:
    inner = with_element("CodeValue", "51185008")
    outer = with_element("AnatomicRegionSequence", [inner])
    outer.ViewCodeSequence = []
    row, schema = row_and_schema(outer)
    assert row == {"AnatomicRegionSequence": [{"CodeValue": "51185008"}]}
    assert schema["AnatomicRegionSequence"] == {
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": {"CodeValue": {"type": "STRING", "mode": "NULLABLE"}},
    }
    # A RECORD without fields is not a column yet, but another instance may fill it.
    assert [field["name"] for field in to_api(schema)] == ["AnatomicRegionSequence"]


def test_private_and_unknown_elements() -> None:
    dataset = Dataset()
    block = dataset.private_block(0x0019, "ACME", create=True)
    block.add_new(0x01, "LO", ["one", "two"])
    block.add_new(0x02, "SQ", [with_element("PatientID", "1")])
    block.add_new(0x03, "OB", b"\0\1")
    row, schema = row_and_schema(dataset)
    assert row["OtherElements"] == [
        {"Tag": "Tag_00190010", "Data": ["ACME"]},
        {"Tag": "Tag_00191001", "Data": ["one", "two"]},
    ]
    assert row["Tag_00191002"] == [{"PatientID": "1"}]
    assert schema["Tag_00191002"]["mode"] == "REPEATED"
    assert schema["OtherElements"]["fields"]["Data"] == {"type": "STRING", "mode": "REPEATED"}
    assert not any("1003" in name for name in [*row, *schema])


def test_binary_elements_have_no_column() -> None:
    dataset = with_element("PixelData", b"\0\0")
    dataset["PixelData"].VR = "OB"
    assert row_and_schema(dataset) == ({}, {})


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("StudyDate", "20170230"), ("StudyDate", "soon"), ("StudyTime", "2500"), ("StudyTime", "x")],
)
def test_dates_that_are_none_are_dropped_and_named(keyword: str, value: str) -> None:
    row, schema = row_and_schema(with_element(keyword, value))
    assert row == {"DroppedTags": [keyword]}
    assert schema[keyword]["mode"] == "NULLABLE"


def test_empty_elements_have_a_column_and_no_value() -> None:
    row, schema = row_and_schema(with_element("AccessionNumber", ""))
    assert row == {}
    assert "AccessionNumber" in schema


def test_more_values_than_allowed() -> None:
    dataset = Dataset()
    dataset.add_new("PatientID", "LO", ["a", "b"])
    dataset.add_new("Rows", "US", [1, 2])
    row, _ = row_and_schema(dataset)
    assert row == {"PatientID": "a\\b", "DroppedTags": ["Rows"]}


def test_nesting_ends_at_fifteen_levels() -> None:
    dataset = with_element("PatientID", "deep")
    for _ in range(20):
        dataset = with_element("ContentSequence", [dataset])
    row, _ = row_and_schema(dataset)
    depth, inside = 0, row
    while "ContentSequence" in inside:
        inside = inside["ContentSequence"][0]
        depth += 1
    assert depth <= 14  # the values within the last RECORD are the fifteenth level
    assert row["DroppedTags"] == [".".join(["ContentSequence"] * 15)]


def test_sequences_over_a_mebibyte_are_dropped() -> None:
    items = [with_element("TextValue", "x" * 70_000) for _ in range(16)]
    row, schema = row_and_schema(with_element("ContentSequence", items))
    assert row == {"DroppedTags": ["ContentSequence"]}
    assert "ContentSequence" not in schema


def test_schemas_of_several_instances_merge_at_every_depth() -> None:
    _, one = row_and_schema(with_element("ContentSequence", [with_element("PatientID", "1")]))
    _, two = row_and_schema(with_element("ContentSequence", [with_element("Rows", 1)]))
    merged: dict[str, Any] = {}
    for schema in (ALWAYS, one, two):
        merge(merged, schema)
    assert set(merged["ContentSequence"]["fields"]) == {"PatientID", "Rows"}
    assert set(one["ContentSequence"]["fields"]) == {"PatientID"}
    names = [field["name"] for field in to_api(merged)]
    assert names == sorted([*ALWAYS, "ContentSequence"])
