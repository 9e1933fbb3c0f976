"""Problems of a resource, recorded from google/fhir v0.7.4.

`tests/contract/test_fhir_validation.py` compares all of HL7's examples where Go is installed.
"""

import json
from typing import Any

import pytest

from emulator.services.healthcare.fhir import definitions, json_text, outcome, url_syntax
from emulator.services.healthcare.fhir.validation import ValidationSettings, check

STRICT = ValidationSettings()
PATIENT = {
    "resourceType": "Patient",
    "id": "p.1",
    "active": True,
    "name": [{"family": "A", "given": ["B", None], "_given": [None, {"id": "x"}]}],
    "gender": "other",
    "birthDate": "2020-02-29",
    "_birthDate": {"extension": [{"url": "http://example.com", "valueString": "x"}]},
    "deceasedDateTime": "2020-03-01T10:00:00.5+14:00",
    "managingOrganization": {"reference": "Organization/1"},
}


def problems(resource: dict[str, Any], settings: ValidationSettings = STRICT) -> list[str]:
    parsed = json_text.parse(json.dumps(resource))
    return [f"{''.join(one.expression)}: {one.diagnostics}" for one in check(parsed, "", settings)]


def test_a_resource_without_problems() -> None:
    assert problems(PATIENT) == []


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("colour", "red", 'Patient: unknown field: "colour"'),
        ("name", {"family": "A"}, "Patient.name: expected array"),
        (
            "gender",
            "man",
            'Patient.gender: code type mismatch: "man" is not a AdministrativeGenderCode',
        ),
        ("active", "true", 'Patient.active: expected boolean: found "true"'),
        ("birthDate", "2021-02-29", 'Patient.birthDate: expected date: found "2021-02-29"'),
        ("managingOrganization", "x", 'Patient.managingOrganization: invalid JSON: "x"'),
        ("id", "a b", "Patient.id: invalid Id format"),
        ("implicitRules", "%zz", "Patient.implicitRules: invalid uri"),
        (
            "deceasedBoolean",
            True,
            'Patient: cannot accept multiple values for deceased field: "deceasedBoolean"',
        ),
        (
            "managingOrganization",
            {"reference": "Patient/2"},
            "Patient.managingOrganization: invalid reference to a Patient resource,"
            " want Organization",
        ),
        ("link", [{"type": "refer"}], 'Patient.link[0]: missing required field "other"'),
        (
            "name",
            [{"family": "a\u0001"}],
            "Patient.name[0].family: string contains invalid characters: U+0001",
        ),
        (
            "name",
            [{"family": "a" * (2**20 + 1)}],
            "Patient.name[0].family: string exceeds maximum size of 1 MB",
        ),
        (
            "extension",
            [{"url": "a", "valuePositiveInt": 2**31}],
            "Patient.extension[0].value.positiveInt: non-negative integer out of range"
            " 1..2,147,483,647",
        ),
        ("_birthDate", {"extension": 5}, "Patient._birthDate.extension: expected array"),
        (
            "contained",
            [{"resourceType": "Robot"}],
            'Patient.contained[0].Robot: unknown resource type: "Robot"',
        ),
        ("contained", [{}], 'Patient.contained[0]: missing required field "resourceType"'),
    ],
)
def test_a_problem_has_its_path_and_words(member: str, value: Any, problem: str) -> None:
    assert problems({**PATIENT, member: value}) == [problem]


def test_what_can_not_be_read_hides_other_problems() -> None:
    resource = {**PATIENT, "id": "a b", "colour": 1, "link": [{}], "name": 5}
    assert sorted(problems(resource)) == [
        "Patient.name: expected array",
        'Patient: unknown field: "colour"',
    ]


def test_contained_resources_are_read_and_not_checked_further() -> None:
    contained = {"resourceType": "Observation", "subject": {"reference": "Medication/1"}}
    assert problems({**PATIENT, "contained": [contained]}) == []
    assert problems(contained) == [
        "Observation.subject: invalid reference to a Medication resource,"
        " want Patient, Group, Device, Location",
        'Observation: missing required field "status"',
        'Observation: missing required field "code"',
    ]


def test_settings_switch_checks_off() -> None:
    resource = {"resourceType": "Observation", "subject": {"reference": "Medication/1"}}
    config = {"disableRequiredFieldValidation": True, "disableReferenceTypeValidation": True}
    assert problems(resource, ValidationSettings.of(config)) == []
    assert len(problems(resource, ValidationSettings.of({}))) == 3


def test_the_type_of_the_request_must_match() -> None:
    [issue] = check({"resourceType": "Patient"}, "Observation", STRICT)
    assert (issue.code, issue.details) == ("structure", "resource_mismatch")
    assert outcome.operation_outcome([issue]) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "structure",
                "details": {"text": "resource_mismatch"},
                "diagnostics": 'resource type "Patient" does not match the request: "Observation"',
            }
        ],
    }


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("", True),
        ("urn:oid:1.2", True),
        ("http://example.com:80/a?b=%zz#c", True),
        ("http://[::1]:80/", True),
        ("//host/path", True),
        ("a/b:c", True),
        ("a:b", True),
        (":a", False),
        ("1:2/3", False),
        ("http://a b/", False),
        ("http://host:x/", False),
        ("http://[::1/", False),
        ("http://u x@host/", False),
        ("/%zz", False),
        ("a#%z", False),
        ("a\x01", False),
    ],
)
def test_urls_are_read_as_go_does(text: str, is_valid: bool) -> None:
    assert url_syntax.is_valid(text) == is_valid


def test_the_table_has_all_of_r4() -> None:
    types = definitions.resource_types()
    assert len(types) == 146
    assert all(definitions.type_definition(name).elements for name in definitions.table()["types"])
    quantity = definitions.type_definition("Observation").elements["valueQuantity"]
    assert (quantity.name, quantity.type, quantity.choice) == ("value", "Quantity", "quantity")
    dose = definitions.type_definition("Dosage.doseAndRate").elements["doseQuantity"]
    assert "comparator" not in definitions.type_definition(dose.type).elements
