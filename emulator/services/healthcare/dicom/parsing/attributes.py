"""The attributes that searches return and match on, by level (PS3.18 10.6)."""

from enum import IntEnum
from typing import Any

from pydicom.datadict import tag_for_keyword

DicomJson = dict[str, dict[str, Any]]


class Level(IntEnum):
    """The levels of the information model that DICOMweb has."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


STUDY_UID = "0020000D"
SERIES_UID = "0020000E"
SOP_UID = "00080018"
SOP_CLASS = "00080016"
RETRIEVE_URL = "00081190"
NUMBER_OF_FRAMES = "00280008"
MAX_FRAMES = 2**31 - 1
"""The greatest value of an IS (PS3.5 6.2)."""
AVAILABILITY = "00080056"
CHARACTER_SET = "00080005"

# https://cloud.google.com/healthcare-api/docs/dicom#returned_results, and the UIDs of the path.
RETURNED = {
    Level.STUDY: (
        CHARACTER_SET,
        "00080020",  # StudyDate
        "00080030",  # StudyTime
        "00080050",  # AccessionNumber
        "00080090",  # ReferringPhysicianName
        "00080201",  # TimezoneOffsetFromUTC
        "00100010",  # PatientName
        "00100020",  # PatientID
        "00100030",  # PatientBirthDate
        "00100040",  # PatientSex
        STUDY_UID,
        "00200010",  # StudyID
    ),
    Level.SERIES: (
        CHARACTER_SET,
        "00080060",  # Modality
        "00080201",  # TimezoneOffsetFromUTC
        "0008103E",  # SeriesDescription
        STUDY_UID,
        SERIES_UID,
        "00400244",  # PerformedProcedureStepStartDate
        "00400245",  # PerformedProcedureStepStartTime
        "00400275",  # RequestAttributesSequence
    ),
    Level.INSTANCE: (
        CHARACTER_SET,
        SOP_CLASS,
        SOP_UID,
        "00080201",  # TimezoneOffsetFromUTC
        STUDY_UID,
        SERIES_UID,
        "00200013",  # InstanceNumber
        NUMBER_OF_FRAMES,
        "00280010",  # Rows
        "00280011",  # Columns
        "00280100",  # BitsAllocated
    ),
}

_MORE_KEYWORDS = {
    Level.STUDY: (
        "PersonIdentificationCodeSequence",
        "PersonAddress",
        "PersonTelephoneNumbers",
        "PersonTelecomInformation",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionCodeSequence",
        "ReferringPhysicianIdentificationSequence",
        "ConsultingPhysicianName",
        "ConsultingPhysicianIdentificationSequence",
        "IssuerOfAccessionNumberSequence",
        "LocalNamespaceEntityID",
        "UniversalEntityID",
        "UniversalEntityIDType",
        "StudyDescription",
        "PhysiciansOfRecord",
        "PhysiciansOfRecordIdentificationSequence",
        "NameOfPhysiciansReadingStudy",
        "PhysiciansReadingStudyIdentificationSequence",
        "RequestingServiceCodeSequence",
        "ReferencedStudySequence",
        "ProcedureCodeSequence",
        "ReasonForPerformedProcedureCodeSequence",
    ),
    Level.SERIES: ("SeriesNumber", "Laterality", "SeriesDate", "SeriesTime"),
}
MORE = {
    level: frozenset(f"{tag_for_keyword(keyword):08X}" for keyword in keywords)
    for level, keywords in _MORE_KEYWORDS.items()
}
"""Attributes that a search for studies or series returns only if it asks for all.

https://cloud.google.com/healthcare-api/docs/dicom#returned_results
"""

# Each match key: its keyword, its tag, the index's column.
MATCH_KEYS = {
    Level.STUDY: (
        ("StudyInstanceUID", STUDY_UID, "study"),
        ("PatientName", "00100010", "patient_name"),
        ("PatientID", "00100020", "patient_id"),
        ("AccessionNumber", "00080050", "accession_number"),
        ("ReferringPhysicianName", "00080090", "referring_physician"),
        ("StudyDate", "00080020", "study_date"),
    ),
    Level.SERIES: (
        ("SeriesInstanceUID", SERIES_UID, "series"),
        ("Modality", "00080060", "modality"),
    ),
    # Not SOPClassUID, which the service refuses: https://github.com/imi-bigpicture/wsidicom/pull/149
    Level.INSTANCE: (("SOPInstanceUID", SOP_UID, "sop"),),
}


def first(metadata: DicomJson, tag: str) -> str:
    """Return an element's first value as text; of a person's name, the alphabetic group."""
    values = metadata.get(tag, {}).get("Value") or [""]
    value = values[0]
    if isinstance(value, dict):
        value = value.get("Alphabetic", "")
    return "" if value is None else str(value)


def part(metadata: DicomJson, level: Level) -> DicomJson:
    """Return the attributes of one level that a search returns."""
    return {tag: metadata[tag] for tag in RETURNED[level] if tag in metadata}


def frame_count(number_of_frames: Any) -> int:
    """Return the number of frames, which is 1 where NumberOfFrames is not a valid one."""
    try:
        count = int(number_of_frames)
    except (TypeError, ValueError, OverflowError):
        return 1
    return count if 1 <= count <= MAX_FRAMES else 1
