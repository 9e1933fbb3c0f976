"""Which resources a store checks by the profiles of its guides."""

from typing import Any

import pytest

GUIDE = "https://example.com/fhir/ImplementationGuide/own"
PROFILES = "https://example.com/fhir/StructureDefinition"
NAMED, GENDERED = f"{PROFILES}/named", f"{PROFILES}/gendered"
MISSING_NAME = f'missing required field "name" (profile {NAMED})'
ENABLED = {"enabledImplementationGuides": [GUIDE]}


def profile(id_: str, element: str) -> dict[str, Any]:
    """A profile of Patient with one required element."""
    return {
        "resourceType": "StructureDefinition",
        "id": id_,
        "url": f"{PROFILES}/{id_}",
        "name": id_,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [{"path": f"Patient.{element}", "min": 1}]},
    }


def guide(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImplementationGuide",
        "id": "own",
        "url": GUIDE,
        "name": "own",
        "status": "active",
        "packageId": "own",
        "fhirVersion": ["4.0.1"],
        **members,
    }


def patient(*profiles: str, **members: Any) -> dict[str, Any]:
    declared = {"meta": {"profile": [*profiles]}} if profiles else {}
    return {"resourceType": "Patient", "id": "p", **declared, **members}


LISTED = {"definition": {"resource": [{"reference": {"reference": "StructureDefinition/named"}}]}}
GLOBAL = {"global": [{"type": "Patient", "profile": one} for one in (NAMED, GENDERED)]}
NAME = [{"family": "A"}]


def install(fhir: Any, **members: Any) -> Any:
    for one in (profile("named", "name"), profile("gendered", "gender"), guide(**members)):
        fhir.put(one)
    return fhir


@pytest.fixture
def listed(make_fhir: Any) -> Any:
    """A store whose guide has the profile `named`."""
    return install(make_fhir(validationConfig=ENABLED), **LISTED)


def diagnostics(fhir: Any, method: str, path: str, body: Any) -> str:
    return str(fhir.refused(400, method, path, body)["diagnostics"])


def test_a_declared_profile_of_an_enabled_guide_is_checked(listed: Any) -> None:
    assert diagnostics(listed, "PUT", "Patient/p", patient(NAMED)) == MISSING_NAME
    assert diagnostics(listed, "POST", "Patient", patient(NAMED)) == MISSING_NAME
    listed.put(patient(NAMED, name=NAME))
    listed.put(patient())
    listed.put(patient(GENDERED))  # in the store, but in no guide
    listed.put(patient(f"{NAMED}|2"))  # a version that is not in the store


def test_a_patch_and_entries_of_bundles_are_checked(listed: Any) -> None:
    listed.put(patient(NAMED, name=NAME))
    removal = [{"op": "remove", "path": "/name"}]
    assert listed.patch("Patient/p", removal).json()["issue"][0]["diagnostics"] == MISSING_NAME
    entry = {"resource": patient(NAMED), "request": {"method": "PUT", "url": "Patient/p"}}
    refused = listed.bundle("transaction", entry).json()
    assert refused["issue"][0]["diagnostics"] == MISSING_NAME
    [answer] = listed.bundle("batch", entry).json()["entry"]
    assert answer["response"]["outcome"]["issue"][0]["diagnostics"] == MISSING_NAME
    assert listed.ok("GET", "Patient/p")["name"] == NAME


def test_one_of_the_global_profiles_of_a_type_is_enough(make_fhir: Any) -> None:
    fhir = install(make_fhir(validationConfig=ENABLED), **GLOBAL)
    assert "(profile " in diagnostics(fhir, "PUT", "Patient/p", patient())
    fhir.put(patient(name=NAME))
    fhir.put(patient(gender="male"))
    assert diagnostics(fhir, "PUT", "Patient/p", patient(NAMED, gender="male")) == MISSING_NAME
    fhir.put({"resourceType": "Device", "id": "d"})


OFF = {**ENABLED, "disableProfileValidation": True}


@pytest.mark.parametrize("config", [{}, OFF, {"enabledImplementationGuides": []}])
def test_stores_without_enabled_guides_check_no_profile(make_fhir: Any, config: Any) -> None:
    fhir = install(make_fhir(validationConfig=config), **LISTED)
    fhir.put(patient(NAMED))


def test_rules_of_profiles_count_where_those_of_r4_are_off(make_fhir: Any) -> None:
    flags = ("RequiredField", "ReferenceType", "Fhirpath")
    config = {**ENABLED, **{f"disable{flag}Validation": True for flag in flags}}
    fhir = install(make_fhir(validationConfig=config), **LISTED)
    assert diagnostics(fhir, "PUT", "Patient/p", patient(NAMED)) == MISSING_NAME


def test_a_definition_without_required_members_refuses_nothing(make_fhir: Any) -> None:
    config = {**ENABLED, "disableRequiredFieldValidation": True}
    fhir = install(make_fhir(validationConfig=config), **LISTED)
    elements = [
        {"min": 1},
        {"path": "Patient.name", "type": [{}], "slicing": {"discriminator": [{}]}},
    ]
    fhir.put({**profile("named", "name"), "differential": {"element": elements}})
    fhir.put(patient(NAMED, name=NAME))


def test_a_changed_profile_is_in_force_at_once(listed: Any) -> None:
    listed.put(patient(NAMED, name=NAME))
    listed.put(profile("named", "birthDate"))
    wrong = diagnostics(listed, "PUT", "Patient/p", patient(NAMED, name=NAME))
    assert wrong == f'missing required field "birthDate" (profile {NAMED})'
    listed.put(guide())  # without the profile
    listed.put(patient(NAMED))


def test_a_transaction_that_fails_leaves_the_profiles_alone(listed: Any) -> None:
    changed = {"method": "PUT", "url": "StructureDefinition/named"}
    entries = [
        {"resource": profile("named", "birthDate"), "request": changed},
        {"resource": patient(NAMED), "request": {"method": "PUT", "url": "Patient/p"}},
    ]
    refused = listed.bundle("transaction", *entries).json()
    assert "birthDate" in refused["issue"][0]["diagnostics"]
    assert diagnostics(listed, "PUT", "Patient/p", patient(NAMED)) == MISSING_NAME


def test_validate_checks_by_a_profile_or_by_the_declared_ones(make_fhir: Any) -> None:
    fhir = install(make_fhir())
    path = "Patient/$validate"
    assert diagnostics(fhir, "POST", f"{path}?profile={NAMED}", patient()) == MISSING_NAME
    assert diagnostics(fhir, "POST", path, patient(NAMED)) == MISSING_NAME
    for query, resource in [("", patient()), (f"?profile={NAMED}", patient(GENDERED, name=NAME))]:
        [issue] = fhir.ok("POST", path + query, resource)["issue"]
        assert issue["severity"] == "information"
    missing = fhir.refused(400, "POST", f"{path}?profile=urn:none", patient())
    assert missing["details"] == {"text": "profile_not_found"}
    wrong_type = diagnostics(
        fhir, "POST", f"Device/$validate?profile={NAMED}", {"resourceType": "Device"}
    )
    assert wrong_type == f"the profile is for Patient, not for Device (profile {NAMED})"
