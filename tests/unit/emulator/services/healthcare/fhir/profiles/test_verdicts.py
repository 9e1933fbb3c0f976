"""Profiles of our own beside HL7's validator, whose verdicts `verdicts.json` has.

`tests/contract/test_fhir_profiles.py` asks the validator again, where Maven has it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

RECORDED = json.loads(Path(__file__).with_name("verdicts.json").read_text(encoding="utf-8"))
LABEL = {"emulator-profile-rules": "documented"}
CLOSED = "the value is in no slice, and the slicing is closed"
GOOGLE_LEAVES = ("bind-", "slice-pattern", "slice-exists", "slice-type", "slice-profile")
"""Beginnings of the names of profiles whose rules the API's reference does not list."""


def refused(fhir: Any, case: Mapping[str, Any]) -> bool:
    resource = case["resource"]
    path = f"{resource['resourceType']}/$validate?profile={case['profile']}"
    response = fhir.send("POST", path, resource)
    assert response.status_code in (200, 400), response.text
    return bool(response.status_code == 400)


def install(fhir: Any) -> None:
    for definition in RECORDED["definitions"]:
        fhir.put(definition)


def test_the_verdicts_are_those_of_hl7s_validator(make_fhir: Any) -> None:
    fhir = make_fhir(validationConfig={"enableFhirpathProfileValidation": True})
    install(fhir)
    cases = RECORDED["cases"]
    assert len(cases) > 100
    assert sum(bool(case["errors"]) for case in cases) > 50
    different = [case for case in cases if refused(fhir, case) != bool(case["errors"])]
    assert different == []


def test_a_store_may_check_only_what_the_reference_of_the_api_lists(make_fhir: Any) -> None:
    fhir = make_fhir(labels=LABEL)
    install(fhir)
    wrong = [case for case in RECORDED["cases"] if case["errors"]]
    kept = {case["profile"].rpartition("/")[2] for case in wrong if refused(fhir, case)}
    assert kept >= {"card", "fixed", "choice", "length", "slice-value", "slice-closed", "extended"}
    assert not [name for name in kept if name.startswith(GOOGLE_LEAVES)]
    assert "invariant" not in kept  # without enableFhirpathProfileValidation


@pytest.mark.parametrize(
    ("profile", "diagnostics", "expression"),
    [
        ("card", 'missing required field "name"', "Patient"),
        ("choice", "the type dateTime is not allowed, want boolean", "Patient.deceased.dateTime"),
        ("length", "the value has 6 characters, want at most 5", "Patient.name[0].family"),
        ("slice-closed", CLOSED, "Patient.identifier[1]"),
        ("slice-value", 'missing required field "identifier:mrn"', "Patient"),
    ],
)
def test_an_outcome_names_rule_profile_and_element(
    fhir: Any, profile: str, diagnostics: str, expression: str
) -> None:
    install(fhir)
    [case, *_] = [
        one for one in RECORDED["cases"] if one["profile"].endswith(f"/{profile}") and one["errors"]
    ]
    path = f"Patient/$validate?profile={case['profile']}"
    issue = fhir.refused(400, "POST", path, case["resource"])
    assert issue == {
        "severity": "error",
        "code": "structure",
        "details": {"text": "unparseable_resource"},
        "diagnostics": f"{diagnostics} (profile {case['profile']})",
        "expression": [expression],
    }
