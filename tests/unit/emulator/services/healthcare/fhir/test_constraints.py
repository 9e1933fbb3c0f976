"""Each constraint refuses what breaks it, and names the element and the expression."""

from typing import Any

import pytest

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.constraints import CONSTRAINTS, DOMAIN_RESOURCE
from emulator.services.healthcare.fhir.validation import ValidationSettings, check
from tests.support.fhir_resources import observation, patient

CONCEPT = {"text": "a"}
CODING = {"system": "s", "code": "c"}
REFERENCE = {"display": "a"}


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def resource(resource_type: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": resource_type, **members}


def with_value(**members: Any) -> dict[str, Any]:
    return observation("Patient/a", **members)


def timing(**members: Any) -> dict[str, Any]:
    return with_value(effectiveTiming={"repeat": members})


ALLERGY = resource("AllergyIntolerance", patient=REFERENCE)
APPOINTMENT = resource(
    "Appointment", status="booked", participant=[{"status": "accepted", "actor": REFERENCE}]
)
CONDITION = resource("Condition", subject=REFERENCE)
ENTERED_IN_ERROR = coded("condition-ver-status", "entered-in-error")

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "ait-1": (ALLERGY, "AllergyIntolerance"),
    "ait-2": (
        {
            **ALLERGY,
            "clinicalStatus": CONCEPT,
            "verificationStatus": coded("allergyintolerance-verification", "entered-in-error"),
        },
        "AllergyIntolerance",
    ),
    "app-1": (
        {**APPOINTMENT, "status": "proposed", "participant": [{"status": "accepted"}]},
        "Appointment.participant",
    ),
    "app-2": ({**APPOINTMENT, "status": "proposed", "end": "2024-01-01T10:00:00Z"}, "Appointment"),
    "app-3": (APPOINTMENT, "Appointment"),
    "att-1": (patient(photo=[{"data": "YQ=="}]), "Patient.photo"),
    "con-1": ({**CONDITION, "stage": [{"type": CONCEPT}]}, "Condition.stage"),
    "con-2": ({**CONDITION, "evidence": [{"id": "a"}]}, "Condition.evidence"),
    "con-4": ({**CONDITION, "abatementString": "a"}, "Condition"),
    "con-5": (
        {**CONDITION, "clinicalStatus": CONCEPT, "verificationStatus": ENTERED_IN_ERROR},
        "Condition",
    ),
    "cpl-3": (
        resource(
            "CarePlan",
            status="active",
            intent="plan",
            subject=REFERENCE,
            activity=[{"detail": {"status": "completed"}, "reference": REFERENCE}],
        ),
        "CarePlan.activity",
    ),
    "cpt-2": (patient(telecom=[{"value": "1"}]), "Patient.telecom"),
    "dom-2": (
        patient(contained=[patient("a", contained=[patient("b")])]),
        "Patient",
    ),
    "dom-4": (patient(contained=[patient("a", meta={"versionId": "1"})]), "Patient"),
    "dom-5": (patient(contained=[patient("a", meta={"security": [CODING]})]), "Patient"),
    "ext-1": (patient(extension=[{"url": "a"}]), "Patient.extension"),
    "fhs-1": (
        resource(
            "FamilyMemberHistory",
            status="partial",
            patient=REFERENCE,
            relationship=CONCEPT,
            ageString="1",
            bornString="2",
        ),
        "FamilyMemberHistory",
    ),
    "fhs-2": (
        resource(
            "FamilyMemberHistory",
            status="partial",
            patient=REFERENCE,
            relationship=CONCEPT,
            estimatedAge=True,
        ),
        "FamilyMemberHistory",
    ),
    "gol-1": (
        resource(
            "Goal",
            lifecycleStatus="active",
            description=CONCEPT,
            subject=REFERENCE,
            target=[{"detailString": "a"}],
        ),
        "Goal.target",
    ),
    "grp-1": (
        resource("Group", type="person", actual=False, member=[{"entity": REFERENCE}]),
        "Group",
    ),
    "lnk-1": (resource("Linkage", item=[{"type": "source", "resource": REFERENCE}]), "Linkage"),
    "lst-1": (
        resource(
            "List",
            status="current",
            mode="working",
            emptyReason=CONCEPT,
            entry=[{"item": REFERENCE}],
        ),
        "List",
    ),
    "mad-1": (
        resource(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=CONCEPT,
            subject=REFERENCE,
            effectiveDateTime="2024",
            dosage={"text": "a"},
        ),
        "MedicationAdministration.dosage",
    ),
    "obs-3": (with_value(referenceRange=[{"type": CONCEPT}]), "Observation.referenceRange"),
    "obs-6": (with_value(valueString="a", dataAbsentReason=CONCEPT), "Observation"),
    "obs-7": (
        with_value(
            code={"coding": [CODING]},
            valueString="a",
            component=[{"code": {"coding": [CODING]}, "valueString": "b"}],
        ),
        "Observation",
    ),
    "org-1": (resource("Organization"), "Organization"),
    "org-2": (resource("Organization", name="a", address=[{"use": "home"}]), "Organization"),
    "org-3": (resource("Organization", name="a", telecom=[{"use": "home"}]), "Organization"),
    "pat-1": (patient(contact=[{"gender": "other"}]), "Patient.contact"),
    "per-1": (
        patient(name=[{"period": {"start": "2024-02", "end": "2024-01-31T23:59:59Z"}}]),
        "Patient.name.period",
    ),
    "ppc-1": (
        resource("Consent", status="active", scope=CONCEPT, category=[CONCEPT]),
        "Consent",
    ),
    "prr-1": (
        resource(
            "ServiceRequest",
            status="active",
            intent="order",
            subject=REFERENCE,
            orderDetail=[CONCEPT],
        ),
        "ServiceRequest",
    ),
    "qrs-1": (
        resource(
            "QuestionnaireResponse",
            status="completed",
            item=[{"linkId": "a", "answer": [{"valueString": "a"}], "item": [{"linkId": "b"}]}],
        ),
        "QuestionnaireResponse.item",
    ),
    "qty-3": (with_value(valueQuantity={"value": 1, "code": "g"}), "Observation.value.quantity"),
    "rat-1": (with_value(valueRatio={"numerator": {"value": 1}}), "Observation.value.ratio"),
    "rng-2": (
        with_value(valueRange={"low": {"value": 2}, "high": {"value": 1}}),
        "Observation.value.range",
    ),
    "tim-1": (timing(duration=1), "Observation.effective.timing.repeat"),
    "tim-2": (timing(period=1), "Observation.effective.timing.repeat"),
    "tim-4": (timing(duration=-1, durationUnit="d"), "Observation.effective.timing.repeat"),
    "tim-5": (timing(period=-1, periodUnit="d"), "Observation.effective.timing.repeat"),
    "tim-6": (timing(periodMax=1), "Observation.effective.timing.repeat"),
    "tim-7": (timing(durationMax=1), "Observation.effective.timing.repeat"),
    "tim-8": (timing(countMax=1), "Observation.effective.timing.repeat"),
    "tim-10": (timing(timeOfDay=["10:00:00"], when=["C"]), "Observation.effective.timing.repeat"),
}
ALL = {constraint.key: constraint for listed in CONSTRAINTS.values() for constraint in listed} | {
    constraint.key: constraint for constraint in DOMAIN_RESOURCE
}


def test_each_constraint_has_an_example() -> None:
    assert BROKEN.keys() == ALL.keys()


@pytest.mark.parametrize("key", sorted(BROKEN))
def test_a_broken_constraint_is_refused(key: str) -> None:
    broken, path = BROKEN[key]
    parsed = json_text.parse(json_text.dump(broken))
    [issue] = check(parsed, "", ValidationSettings())
    assert (issue.code, issue.details) == ("structure", "unparseable_resource")
    expected = f'fhirpath-constraint-violation-{path}: "{ALL[key].expression}"'
    assert issue.diagnostics == expected
    off = ValidationSettings.of({"disableFhirpathValidation": True})
    assert check(parsed, "", off) == []


def test_periods_and_ranges_in_order_are_accepted() -> None:
    for start, end in [("2024", "2024-01"), ("2024-01-01", "2024-01-01"), ("2024", "")]:
        period = {"start": start, **({"end": end} if end else {})}
        assert check(patient(name=[{"period": period}]), "", ValidationSettings()) == []
    ranges = [
        {"low": {"value": 1}, "high": {"value": 1}},
        {"low": {"value": 2, "unit": "kg"}, "high": {"value": 1, "unit": "t"}},
        {"low": {"value": 2}},
    ]
    for one in ranges:
        assert check(with_value(valueRange=one), "", ValidationSettings()) == []
