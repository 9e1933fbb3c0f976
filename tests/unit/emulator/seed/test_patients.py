"""The synthetic patients of the x-rays: valid R4, and joined with the DICOM files."""

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from emulator.seed import dicom_file, records
from emulator.seed.patients import bucket, resources
from emulator.services.healthcare.fhir import validation
from emulator.services.healthcare.fhir.validation import ValidationSettings
from emulator.services.storage import object_files
from emulator.services.storage.public_bucket import PATIENTS_BUCKET
from scripts.gsp615 import patient_answers

SHA256 = "d719ab46fb3efbdfa1571f32ee48be08e0ace18cbbd571d96dee3876a3d7c94c"
SENIOR_AGE = 60


@pytest.fixture(scope="module")
def everything() -> dict[str, dict[str, Any]]:
    """All resources by their names."""
    lines = [json.loads(line) for text in resources.build().values() for line in text.splitlines()]
    return {f"{one['resourceType']}/{one['id']}": one for one in lines}


def test_the_bytes_are_the_same_everywhere() -> None:
    content = resources.build()
    digest = hashlib.sha256(b"".join(content[type_] for type_ in resources.TYPES))
    assert digest.hexdigest() == SHA256, "increment GENERATOR: a bucket keeps the old objects"


def test_each_resource_is_valid(everything: dict[str, dict[str, Any]]) -> None:
    found = {
        name: validation.check(one, "", ValidationSettings()) for name, one in everything.items()
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert Counter(one["resourceType"] for one in everything.values()) == patient_answers.RESOURCES


def test_each_resource_is_marked_as_test_data(everything: dict[str, dict[str, Any]]) -> None:
    codes = {one["meta"]["security"][0]["code"] for one in everything.values()}
    assert codes == {"HTEST"}


def test_each_reference_leads_to_a_resource(everything: dict[str, dict[str, Any]]) -> None:
    targets = [target for one in everything.values() for target in _references(one)]
    assert len(targets) == 405 + 2 * 588 + 2 * 163
    assert {*targets} <= {*everything}


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if not isinstance(value, dict):
        return []
    own = [value["reference"]] if "reference" in value else []
    return own + [found for one in value.values() for found in _references(one)]


def test_studies_have_the_uids_of_the_files(everything: dict[str, dict[str, Any]]) -> None:
    for record in records.load():
        study = everything[f"ImagingStudy/xray-{record.image.replace('_', '-')}"]
        uid = dicom_file.uid("study", record.image)
        assert study["identifier"] == [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}]
        assert study["subject"] == {"reference": f"Patient/xray-{record.patient_id}"}


def test_birth_dates_agree_with_the_ages(everything: dict[str, dict[str, Any]]) -> None:
    wrong = Counter[str]()
    for record in records.load():
        born = everything[f"Patient/xray-{record.patient_id}"]["birthDate"]
        age = dicom_file.study_date(record).year - int(born[:4])
        if age != record.age:
            wrong[record.patient_id] += 1
    # More than 52 x-rays at the age of 54: their invented dates, a week apart, pass a year.
    assert wrong == {"32": 9}


def test_the_expected_answers_are_those_of_the_records() -> None:
    """Counted here on the records alone, and by the lab's queries on tables (test_lab)."""
    conditions: defaultdict[str, set[str]] = defaultdict(set)
    seniors: defaultdict[str, set[str]] = defaultdict(set)
    for record in records.load():
        conditions[record.patient_id] |= record.labels
        if record.age >= SENIOR_AGE:
            for label in record.labels:
                seniors[label].add(record.patient_id)
    counts = {label: len(patients) for label, patients in seniors.items()}
    labels = sorted(counts, key=lambda label: (-counts[label], label))
    assert [[label, counts[label]] for label in labels] == patient_answers.SENIORS
    unremarkable = Counter(
        {"F": "female", "M": "male"}[record.sex]
        for record in records.load()
        if not record.labels and conditions[record.patient_id]
    )
    assert [[*row] for row in sorted(unremarkable.items())] == patient_answers.UNREMARKABLE
    [of_88] = [record for record in records.load() if record.patient_id == "88"]
    assert [
        [of_88.findings, "female", of_88.age, label] for label in sorted(of_88.labels)
    ] == patient_answers.PATIENT_88


def test_the_bucket_is_filled_once_and_what_is_damaged_comes_back(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    assert bucket.ensure_patients_bucket(storage) == 4
    assert bucket.ensure_patients_bucket(storage) == 0
    folder = storage / PATIENTS_BUCKET
    assert sorted(path.name for path in folder.iterdir()) == sorted(bucket.object_names())
    assert object_files.metadata_of(folder / "Patient.ndjson")["patients"] == "synthetic"
    (folder / "Patient.ndjson").unlink()
    assert bucket.ensure_patients_bucket(storage) == 1
    assert (folder / "Patient.ndjson").read_bytes() == resources.build()["Patient"]
