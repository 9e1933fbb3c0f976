"""Profiles and lists: what is left of an instance that names a person everywhere."""

import io
from collections.abc import Callable
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import SecondaryCaptureImageStorage

Deidentify = Callable[[FileDataset, dict[str, Any]], FileDataset]
BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
IDENTIFIERS = (
    "Ramirez", "Ofelia", "MRN-77421", "19610424", "Kettering", "Northside", "Elm Road", "555 0199",
    "ACC-5512", "Vasquez", "20240117", "secret-private", "1.3.46.670589.1", "1.3.46.670589.9",
    "SCANNER7", "GATEWAY",
)  # fmt: skip


def written(dataset: pydicom.Dataset) -> str:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue().decode("latin-1").replace(SecondaryCaptureImageStorage, "")


def test_the_source_holds_every_identifier(source: FileDataset) -> None:
    assert [one for one in IDENTIFIERS if one not in written(source)] == []


def test_the_basic_profile_leaves_no_identifier(
    source: FileDataset, deidentify: Deidentify
) -> None:
    left = written(deidentify(source, BASIC))
    assert [one for one in IDENTIFIERS if one in left] == []


def test_the_basic_profile_keeps_what_reports_of_no_one(
    source: FileDataset, deidentify: Deidentify
) -> None:
    result = deidentify(source, BASIC)
    assert (result.Modality, result.BodyPartExamined) == ("DX", "CHEST")
    assert result.PatientIdentityRemoved == "YES"
    assert result.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert (result.PatientName, result.StudyDate) == ("", "")  # Z: type 2, there but empty
    assert result.PatientID == "ANONYMIZED"
    assert "InstitutionAddress" not in result


@pytest.mark.parametrize("profile", ["KEEP_ALL_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"])
def test_new_uids_are_consistent(source: FileDataset, deidentify: Deidentify, profile: str) -> None:
    result = deidentify(source, {"dicom": {"filterProfile": profile}})
    assert result.SOPInstanceUID.startswith("2.25.")
    assert result.SOPInstanceUID.is_valid
    assert result.ReferencedImageSequence[0].ReferencedSOPInstanceUID == result.SOPInstanceUID
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID
    assert len({result.StudyInstanceUID, result.SeriesInstanceUID, result.SOPInstanceUID}) == 3


def test_ids_can_be_kept(source: FileDataset, deidentify: Deidentify) -> None:
    result = deidentify(source, {"dicom": {**BASIC["dicom"], "skipIdRedaction": True}})
    assert result.SOPInstanceUID == "1.3.46.670589.1.2.3"
    assert result.ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.3.46.670589.1.2.3"
    assert result.FrameOfReferenceUID.startswith("2.25.")
    assert "Ramirez" not in written(result)


def test_the_minimal_profile_keeps_what_is_required(
    source: FileDataset, deidentify: Deidentify
) -> None:
    result = deidentify(source, {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}})
    assert {element.keyword for element in result} == {
        "SOPClassUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
    }


def test_a_keep_list_keeps_these_and_what_is_required(
    source: FileDataset, deidentify: Deidentify
) -> None:
    listed = {"tags": ["Modality", "00180015", "OtherPatientIDsSequence", "00091001"]}
    result = deidentify(source, {"dicom": {"keepList": listed}})
    assert (result.Modality, result.BodyPartExamined) == ("DX", "CHEST")
    assert result.OtherPatientIDsSequence[0].PatientID == "MRN-77421"
    assert result[0x0009, 0x1001].value == "secret-private"
    assert "PatientID" not in result
    assert "StudyDate" not in result


def test_a_remove_list_removes_at_every_depth(source: FileDataset, deidentify: Deidentify) -> None:
    result = deidentify(source, {"dicom": {"removeList": {"tags": ["PatientID", "(0009,1001)"]}}})
    assert "MRN-77421" not in written(result)
    assert "secret-private" not in written(result)
    assert result.PatientName == "Ramirez^Ofelia"


def test_contents_are_cleaned(source: FileDataset, deidentify: Deidentify) -> None:
    result = deidentify(source, {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}})
    assert result.PatientName == "[PERSON_NAME]"
    assert result.PatientID == "[MEDICAL_RECORD_NUMBER]"
    assert result.PatientAge == ""
    description = result.StudyDescription
    assert description.startswith("Chest, [PERSON_NAME], seen by Dr. [PERSON_NAME] on ")
    assert "2024-01-17" not in description
    assert result.Modality == "DX"  # a code string is not text
    left = written(result)
    assert [one for one in ("Ofelia", "MRN-77421", "20240117", "Kettering") if one in left] == []


def test_dates_of_a_patient_shift_together(source: FileDataset, deidentify: Deidentify) -> None:
    result = deidentify(source, {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}})
    shifted = result.StudyDate
    assert shifted != "20240117"
    assert result.AcquisitionDateTime == f"{shifted}101112"
    assert f"{shifted[:4]}-{shifted[4:6]}-{shifted[6:]}" in result.StudyDescription


def test_actions_of_the_tag_config(source: FileDataset, deidentify: Deidentify) -> None:
    actions = [
        {"queries": ["PatientSex"], "keepTag": {}},
        {"queries": ["StationName"], "resetTag": {}},
        {"queries": ["DA"], "removeTag": {}},
        {"queries": ["BodyPartExamined"], "deleteTag": {}},
        {"queries": ["StudyDescription"], "cleanTextTag": {}},
    ]
    result = deidentify(source, {"dicomTagConfig": {"actions": actions}})
    assert (result.PatientSex, result.StationName) == ("F", "ANONYMIZED")
    assert result.StudyDate == ""
    assert "BodyPartExamined" not in result
    assert result.StudyDescription.startswith("Chest, [PERSON_NAME]")
    assert result.PatientIdentityRemoved == "YES"  # the profile is the basic one by default


def test_descriptors_are_kept_clean(source: FileDataset, deidentify: Deidentify) -> None:
    options = {"cleanDescriptors": {}, "primaryIds": "KEEP"}
    result = deidentify(source, {"dicomTagConfig": {"options": options}})
    assert result.StudyDescription.startswith("Chest, [CTX], seen by Dr. [CTX] on ")
    assert "Vasquez" not in result.StudyDescription
    assert result.StudyInstanceUID == "1.3.46.670589.1"


def test_a_structured_report_keeps_its_shape_and_loses_its_words(
    source: FileDataset, deidentify: Deidentify
) -> None:
    from pydicom.data import get_testdata_file

    report = pydicom.dcmread(str(get_testdata_file("reportsi.dcm")))
    texts = {
        str(element.value)
        for element in report.iterall()
        if element.keyword in ("TextValue", "PersonName", "PatientName") and element.value
    }
    items = len(report.ContentSequence)
    result = deidentify(report, BASIC)
    assert len(result.ContentSequence) == items
    assert texts
    assert [text for text in texts if text in written(result)] == []
