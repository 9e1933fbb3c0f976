"""FHIR resources (R4) about the x-rays: patients, imaging studies, observations and conditions.

Ages, sexes and findings are those of the published records; dates and names are invented, and
agree with those of the DICOM files. Every resource is marked as test data (HTEST).
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from emulator.seed import dicom_file, records
from emulator.seed.records import ImageRecord

GENERATOR = "1"
"""Incremented whenever the bytes change: objects of another generation are replaced."""

Resource = dict[str, Any]

PATIENT, STUDY, OBSERVATION, CONDITION = "Patient", "ImagingStudy", "Observation", "Condition"
TYPES = (PATIENT, STUDY, OBSERVATION, CONDITION)

PATIENT_SYSTEM = "https://nihcc.app.box.com/v/ChestXray-NIHCC/patient"
FINDING_SYSTEM = "https://nihcc.app.box.com/v/ChestXray-NIHCC/finding"
"""The findings have the labels of the publication as codes: NIH has not coded them."""
_HL7 = "http://terminology.hl7.org/CodeSystem"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_SEX = {"F": "female", "M": "male"}
_SOP_CLASS = "urn:oid:1.2.840.10008.5.1.4.1.1.1.1"
"""Digital X-Ray Image Storage - For Presentation, as in the files."""


def build() -> dict[str, bytes]:
    """Return the lines of each resource type: the same records always have the same bytes."""
    lines: dict[str, list[str]] = {type_: [] for type_ in TYPES}
    for resource in _resources():
        lines[resource["resourceType"]].append(f"{json.dumps(resource, sort_keys=True)}\n")
    return {type_: "".join(of_type).encode() for type_, of_type in lines.items()}


def _resources() -> Iterator[Resource]:
    known: set[str] = set()
    for record in records.load():
        described = [_study(record), *_observations(record)]
        # Patients and conditions come once, at the first x-ray that has them.
        first = [_patient(record), *(_condition(record, label) for label in sorted(record.labels))]
        for resource in [*first, *described]:
            name = f"{resource['resourceType']}/{resource['id']}"
            if name not in known:
                known.add(name)
                yield resource


def _resource(type_: str, id_: str, members: Resource) -> Resource:
    test_data = {"system": f"{_HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}
    return {"resourceType": type_, "id": id_, "meta": {"security": [test_data]}, **members}


def _patient(record: ImageRecord) -> Resource:
    # A birthday on the first of January: the years between two dates are then the age.
    born = _day(record).year - record.age
    return _resource(
        PATIENT,
        f"xray-{record.patient_id}",
        {
            "identifier": [{"system": PATIENT_SYSTEM, "value": record.patient_id}],
            "name": [{"family": "Synthetic", "given": [f"Patient {record.patient_id}"]}],
            "gender": _SEX[record.sex],
            "birthDate": f"{born}-01-01",
        },
    )


def _study(record: ImageRecord) -> Resource:
    modality = {"system": _DCM, "code": "DX"}
    chest = {"system": "http://snomed.info/sct", "code": "51185008", "display": "Chest"}
    sop_class = {"system": "urn:ietf:rfc:3986", "code": _SOP_CLASS}
    series = {
        "uid": dicom_file.uid("series", record.image),
        "number": 1,
        "modality": modality,
        "description": f"Chest {record.view}",
        "numberOfInstances": 1,
        "bodySite": chest,
        "instance": [
            {"uid": dicom_file.uid("instance", record.image), "sopClass": sop_class, "number": 1}
        ],
    }
    # FHIR R4, ImagingStudy.identifier: the Study Instance UID is a URI of an OID.
    study_uid = f"urn:oid:{dicom_file.uid('study', record.image)}"
    return _resource(
        STUDY,
        _study_id(record),
        {
            "identifier": [{"system": "urn:dicom:uid", "value": study_uid}],
            "status": "available",
            "modality": [modality],
            "subject": _subject(record),
            "started": _day(record).isoformat(),
            "numberOfSeries": 1,
            "numberOfInstances": 1,
            "description": record.findings,
            "series": [series],
        },
    )


def _observations(record: ImageRecord) -> Iterator[Resource]:
    """Yield an observation for each label, also for `No Finding`."""
    imaging = {"system": f"{_HL7}/observation-category", "code": "imaging"}
    code = {"system": _DCM, "code": "121071", "display": "Finding"}
    for label in record.findings.split("|"):
        yield _resource(
            OBSERVATION,
            f"{_study_id(record)}-{_id_part(label)}",
            {
                "status": "final",
                "category": [{"coding": [imaging]}],
                "code": {"coding": [code]},
                "subject": _subject(record),
                "effectiveDateTime": _day(record).isoformat(),
                "valueCodeableConcept": _finding(label),
                "derivedFrom": [{"reference": f"{STUDY}/{_study_id(record)}"}],
            },
        )


def _condition(record: ImageRecord, label: str) -> Resource:
    return _resource(
        CONDITION,
        f"xray-{record.patient_id}-{_id_part(label)}",
        {
            "clinicalStatus": _status("condition-clinical", "active"),
            # The labels come from reports by text mining: they are not confirmed.
            "verificationStatus": _status("condition-ver-status", "provisional"),
            "category": [_status("condition-category", "encounter-diagnosis")],
            "code": _finding(label),
            "subject": _subject(record),
            "onsetDateTime": _day(record).isoformat(),
            "evidence": [
                {"detail": [{"reference": f"{OBSERVATION}/{_study_id(record)}-{_id_part(label)}"}]}
            ],
        },
    )


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}


def _finding(label: str) -> Resource:
    return {"coding": [{"system": FINDING_SYSTEM, "code": label}], "text": label}


def _subject(record: ImageRecord) -> Resource:
    return {"reference": f"{PATIENT}/xray-{record.patient_id}"}


def _study_id(record: ImageRecord) -> str:
    return f"xray-{_id_part(record.image)}"


def _id_part(text: str) -> str:
    """Return a text in the characters of an id."""
    return text.replace("_", "-").replace(" ", "-").lower()


def _day(record: ImageRecord) -> date:
    return dicom_file.study_date(record)
