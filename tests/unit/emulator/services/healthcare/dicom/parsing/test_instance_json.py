"""The texts of an instance: whatever was remembered of others, they are its own."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from emulator.services.healthcare.dicom.parsing import bigquery_rows, dicom_json, instance_json
from emulator.services.healthcare.dicom.parsing.attributes import Level
from emulator.services.healthcare.dicom.parsing.instance_json import compact
from tests.support.dicom_files import make_dicom

FILES = [
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "MR_truncated.dcm",
    "examples_overlay.dcm",
    "nested_priv_SQ.dcm",
    "priv_SQ.dcm",
    "reportsi.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    for remembered in (
        instance_json._cached_element,
        instance_json._shared,
        dicom_json._cached_json,
        bigquery_rows._cached_row,
    ):
        remembered.cache_clear()


def _all(dataset: Dataset) -> list[str]:
    instance = instance_json.serialize(dataset)
    parts = [instance.attributes_at(level) for level in Level]
    return [instance.metadata(), instance.row(), instance.schema(), *parts]


def _of_file(name: str) -> list[str]:
    return _all(pydicom.dcmread(str(get_testdata_file(name))))


@pytest.mark.parametrize("name", FILES)
def test_what_is_remembered_of_all_files_changes_none(name: str) -> None:
    alone = _of_file(name)
    for other in [*FILES, *FILES]:
        _of_file(other)
    assert _of_file(name) == alone


@pytest.mark.parametrize("name", FILES)
def test_every_text_is_compact_json_with_its_keys_sorted(name: str) -> None:
    for text in _of_file(name):
        assert compact(json.loads(text)) == text


def test_elements_out_of_order_are_put_in_order() -> None:
    dataset = Dataset()
    dataset.PatientID, dataset.Modality = "1", "CT"
    backwards = Dataset()
    backwards.Modality, backwards.PatientID = "CT", "1"
    assert _all(dataset) == _all(backwards)
    modality, patient = '{"Value":["CT"],"vr":"CS"}', '{"Value":["1"],"vr":"LO"}'
    assert (
        instance_json.serialize(dataset).metadata()
        == f'{{"00080060":{modality},"00100020":{patient}}}'
    )


def test_equal_bytes_of_another_character_set_are_another_text() -> None:
    def name_in(charset: str) -> str:
        file = make_dicom(SpecificCharacterSet="ISO_IR 192", PatientName="Müller")
        dataset = pydicom.dcmread(io.BytesIO(file.replace(b"ISO_IR 192", charset.encode())))
        return str(instance_json.serialize(dataset).model["00100010"]["Value"][0]["Alphabetic"])

    assert [name_in("ISO_IR 192"), name_in("ISO_IR 100")] == ["Müller", "MÃ¼ller"]


def test_equal_sequences_of_another_character_set_are_other_texts() -> None:
    item = Dataset()
    item.PatientName = "Müller"

    def name_in(charset: str) -> str:
        file = make_dicom(SpecificCharacterSet="ISO_IR 192", ReferencedPatientSequence=[item])
        dataset = pydicom.dcmread(io.BytesIO(file.replace(b"ISO_IR 192", charset.encode())))
        [found] = instance_json.serialize(dataset).model["00081120"]["Value"]
        return str(found["00100010"]["Value"][0]["Alphabetic"])

    assert [name_in("ISO_IR 192"), name_in("ISO_IR 100")] == ["Müller", "MÃ¼ller"]


def test_words_in_a_sequence_are_little_endian_whatever_the_file_is() -> None:
    item = Dataset()
    item.add_new("VectorGridData", "OF", b"\0\0\x80\x3f")

    def words(file: bytes) -> str:
        dataset = pydicom.dcmread(io.BytesIO(file))
        [found] = instance_json.serialize(dataset).model["00640002"]["Value"]
        return str(found["00640009"]["InlineBinary"])

    little = make_dicom(DeformableRegistrationSequence=[item])
    item["VectorGridData"].value = b"\x3f\x80\0\0"
    big = make_dicom(syntax=ExplicitVRBigEndian, DeformableRegistrationSequence=[item])
    assert words(little) == words(big) == "AACAPw=="


def test_pixels_that_are_left_on_the_disk_are_not_read_for_the_row(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(make_dicom(pixels=np.zeros((64, 64), np.uint8)))
    dataset = pydicom.dcmread(path, defer_size=1024)
    path.unlink()
    instance = instance_json.serialize(dataset)
    assert "BulkDataURI" in instance.model["7FE00010"]
    assert json.loads(instance.row())["PatientID"] == "p1"


def test_private_elements_and_unknown_ones_come_into_one_list() -> None:
    dataset = Dataset()
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "a")
    dataset.add_new(0x00090002, "LO", "b")
    assert json.loads(instance_json.serialize(dataset).row())["OtherElements"] == [
        {"Tag": "Tag_00090002", "Data": ["b"]},
        {"Tag": "Tag_00090010", "Data": ["ACME"]},
        {"Tag": "Tag_00091001", "Data": ["a"]},
    ]
