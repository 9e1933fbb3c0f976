"""Files against the rules: untouched, fixed or rejected, without a value in a reason."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from pipelines.ingest.cleaning import Cleaned, Rejected, clean
from pipelines.ingest.rules import Rules, parse
from tests.support.dicom_files import make_dicom

RULES = parse(
    """
rules:
  - {name: no patient, attribute: PatientID, when: missing, set: UNKNOWN}
  - {name: date, attribute: StudyDate, when: {not_matching: '[0-9]{8}'},
     replace: {pattern: '-', by: ''}}
  - {name: short, attribute: StudyDescription, when: {longer_than: 4}, truncate: 4}
  - {name: no comments, attribute: PatientComments, when: always, remove: true}
  - {name: known, attribute: Modality, when: {not_in: [CT, MR]}, reject: true}
"""
)


def values(cleaned: Cleaned) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(cleaned.content))


def test_a_good_file_stays_as_it_is() -> None:
    content = make_dicom(StudyDate="20240102")
    assert clean(content, RULES) == Cleaned(
        content, "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5", ()
    )


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_a_file_is_fixed_and_keeps_the_rest() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    content = make_dicom(
        pixels=pixels,
        PatientID=None,
        StudyDate="2024-01-02",
        StudyDescription="abdomen",
        PatientComments="tall",
        Modality="CT",
    )
    cleaned = clean(content, RULES)
    assert cleaned.fixes == ("no patient", "date", "short", "no comments")
    dataset = values(cleaned)
    assert (dataset.PatientID, dataset.StudyDate) == ("UNKNOWN", "20240102")
    assert dataset.StudyDescription == "abdo"
    assert "PatientComments" not in dataset
    assert dataset.pixel_array.tolist() == pixels.tolist()
    assert clean(cleaned.content, RULES).fixes == ()


def test_a_file_without_preamble_gets_one() -> None:
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(syntax=ImplicitVRLittleEndian)))
    buffer = io.BytesIO()
    del dataset.file_meta
    dataset.preamble = None
    dataset.save_as(buffer, enforce_file_format=False, implicit_vr=True, little_endian=True)
    cleaned = clean(buffer.getvalue(), RULES)
    assert cleaned.fixes == ("file meta information",)
    assert values(cleaned).file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.5"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no DICOM at all" * 100, "not a DICOM file"),
        (make_dicom()[:140], ""),
        (make_dicom(SeriesInstanceUID=None), "SeriesInstanceUID is missing"),
        (make_dicom(Modality="US"), "Modality breaks the rule 'known'"),
        (
            make_dicom(pixels=np.zeros((64, 64), np.uint8))[:-100],
            "the file ends within its pixel data",
        ),
        (
            make_dicom(StudyDate="May 2024"),
            "StudyDate breaks the rule 'date', and its fix does not help",
        ),
    ],
)
def test_a_bad_file_is_rejected_without_its_values(content: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        clean(content, RULES)
    assert reason in str(rejected.value)
    assert "May" not in str(rejected.value)


def test_lists_of_classes_and_syntaxes() -> None:
    ct = "1.2.840.10008.5.1.4.1.1.2"
    with pytest.raises(Rejected, match="SOP class"):
        clean(make_dicom(), Rules(sop_classes=frozenset({ct})))
    with pytest.raises(Rejected, match="transfer syntax"):
        clean(make_dicom(), Rules(transfer_syntaxes=frozenset({ImplicitVRLittleEndian})))
