"""Constraints of R4 on the members of an element (FHIRPath invariants), as functions.

Documented: the API checks the constraints of the specification, unless
`disableFhirpathValidation` is set. Those here are the ones on members of one element or on codes;
the constraints on definitions (`StructureDefinition`, `TestScript` and their like) are not checked.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from emulator.services.healthcare.fhir.constraints.predicates import (
    TERMINOLOGY,
    Members,
    any_of,
    has,
    has_no_component_of_its_code,
    is_coded,
    is_not_negative,
    is_ordered,
    is_range,
    items,
    needs,
    no_home,
    none_inside,
    not_both,
    one_of,
)


class Constraint(NamedTuple):
    """A constraint of a type.

    Attributes:
        key: its name in the specification
        expression: as the specification has it
        holds: whether an element satisfies it
    """

    key: str
    expression: str
    holds: Callable[[Members], bool]


def _any_of(key: str, *names: str) -> Constraint:
    """Return the constraint that one of some members is there."""
    return Constraint(key, " or ".join(f"{name}.exists()" for name in names), any_of(*names))


def _needs(key: str, one: str, other: str) -> Constraint:
    """Return the constraint that a member is there if another one is."""
    return Constraint(key, f"{one}.empty() or {other}.exists()", needs(one, other))


def _not_both(key: str, one: str, other: str) -> Constraint:
    """Return the constraint that one of two members is missing."""
    return Constraint(key, f"{one}.empty() or {other}.empty()", not_both(one, other))


DOMAIN_RESOURCE = (
    Constraint("dom-2", "contained.contained.empty()", none_inside("contained", "contained")),
    Constraint(
        "dom-4",
        "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()",
        lambda value: (
            none_inside("contained", "meta", "versionId")(value)
            and none_inside("contained", "meta", "lastUpdated")(value)
        ),
    ),
    Constraint(
        "dom-5", "contained.meta.security.empty()", none_inside("contained", "meta", "security")
    ),
)
"""The constraints of every resource that may have contained ones."""

_MARKS = "https://g.co/fhir/medicalrecords/"
"""Documented (the guide to consents): extensions of Google's mark a consent by their URL alone."""
_ALLERGY = "allergyintolerance-verification"
_CONDITION = "condition-ver-status"

CONSTRAINTS: Mapping[str, Sequence[Constraint]] = {
    **dict.fromkeys(
        ("Age", "Count", "Distance", "Duration", "MoneyQuantity", "Quantity", "SimpleQuantity"),
        (_needs("qty-3", "code", "system"),),
    ),
    "AllergyIntolerance": (
        Constraint(
            "ait-1",
            "verificationStatus.coding.where(system = "
            f"'{TERMINOLOGY}/{_ALLERGY}' and code = 'entered-in-error').exists()"
            " or clinicalStatus.exists()",
            lambda value: (
                is_coded(value, "verificationStatus", _ALLERGY, "entered-in-error")
                or has(value, "clinicalStatus")
            ),
        ),
        Constraint(
            "ait-2",
            "verificationStatus.coding.where(system = "
            f"'{TERMINOLOGY}/{_ALLERGY}' and code = 'entered-in-error').empty()"
            " or clinicalStatus.empty()",
            lambda value: (
                not is_coded(value, "verificationStatus", _ALLERGY, "entered-in-error")
                or not has(value, "clinicalStatus")
            ),
        ),
    ),
    "Appointment": (
        Constraint(
            "app-2",
            "start.exists() = end.exists()",
            lambda value: has(value, "start") == has(value, "end"),
        ),
        Constraint(
            "app-3",
            "(start.exists() and end.exists()) or"
            " (status in ('proposed' | 'cancelled' | 'waitlist'))",
            lambda value: (
                (has(value, "start") and has(value, "end"))
                or value.get("status") in ("proposed", "cancelled", "waitlist")
            ),
        ),
    ),
    "Appointment.participant": (_any_of("app-1", "type", "actor"),),
    "Attachment": (_needs("att-1", "data", "contentType"),),
    "CarePlan.activity": (_not_both("cpl-3", "detail", "reference"),),
    "Condition": (
        Constraint(
            "con-4",
            "abatement.empty() or clinicalStatus.coding.where(system="
            f"'{TERMINOLOGY}/condition-clinical' and"
            " (code='resolved' or code='remission' or code='inactive')).exists()",
            lambda value: (
                not has(value, "abatement")
                or is_coded(
                    value,
                    "clinicalStatus",
                    "condition-clinical",
                    *("resolved", "remission", "inactive"),
                )
            ),
        ),
        Constraint(
            "con-5",
            f"verificationStatus.coding.where(system='{TERMINOLOGY}/{_CONDITION}' and"
            " code='entered-in-error').empty() or clinicalStatus.empty()",
            lambda value: (
                not is_coded(value, "verificationStatus", _CONDITION, "entered-in-error")
                or not has(value, "clinicalStatus")
            ),
        ),
    ),
    "Condition.evidence": (_any_of("con-2", "code", "detail"),),
    "Condition.stage": (_any_of("con-1", "summary", "assessment"),),
    "Consent": (_any_of("ppc-1", "policy", "policyRule"),),
    "ContactPoint": (_needs("cpt-2", "value", "system"),),
    "Extension": (
        Constraint(
            "ext-1",
            "extension.exists() != value.exists()",
            lambda value: (
                one_of("extension", "value")(value) or str(value.get("url")).startswith(_MARKS)
            ),
        ),
    ),
    "FamilyMemberHistory": (
        _not_both("fhs-1", "age", "born"),
        Constraint("fhs-2", "age.exists() or estimatedAge.empty()", needs("estimatedAge", "age")),
    ),
    "Goal.target": (
        Constraint(
            "gol-1",
            "(detail.exists() and measure.exists()) or detail.exists().not()",
            needs("detail", "measure"),
        ),
    ),
    "Group": (
        Constraint(
            "grp-1",
            "member.empty() or (actual = true)",
            lambda value: not has(value, "member") or value.get("actual") is True,
        ),
    ),
    "Linkage": (
        Constraint("lnk-1", "item.count()>1", lambda value: len(items(value, "item")) > 1),
    ),
    "List": (_not_both("lst-1", "emptyReason", "entry"),),
    "MedicationAdministration.dosage": (_any_of("mad-1", "dose", "rate"),),
    "Observation": (
        _not_both("obs-6", "dataAbsentReason", "value"),
        Constraint(
            "obs-7",
            "value.empty() or"
            " component.code.where(coding.intersect(%resource.code.coding).exists()).empty()",
            has_no_component_of_its_code,
        ),
    ),
    "Observation.referenceRange": (_any_of("obs-3", "low", "high", "text"),),
    "Organization": (
        Constraint(
            "org-1", "(identifier.count() + name.count()) > 0", any_of("identifier", "name")
        ),
        Constraint("org-2", "where(use = 'home').empty()", no_home("address")),
        Constraint("org-3", "where(use = 'home').empty()", no_home("telecom")),
    ),
    "Patient.contact": (_any_of("pat-1", "name", "telecom", "address", "organization"),),
    "Period": (
        Constraint(
            "per-1",
            "start.hasValue().not() or end.hasValue().not() or (start <= end)",
            is_ordered,
        ),
    ),
    "QuestionnaireResponse.item": (
        Constraint(
            "qrs-1", "(answer.exists() and item.exists()).not()", not_both("answer", "item")
        ),
    ),
    "Range": (Constraint("rng-2", "low.empty() or high.empty() or (low <= high)", is_range),),
    "Ratio": (
        Constraint(
            "rat-1",
            "(numerator.empty() xor denominator.exists()) and"
            " (numerator.exists() or extension.exists())",
            lambda value: (
                has(value, "numerator") == has(value, "denominator")
                and (has(value, "numerator") or has(value, "extension"))
            ),
        ),
    ),
    "ServiceRequest": (_needs("prr-1", "orderDetail", "code"),),
    "Timing.repeat": (
        _needs("tim-1", "duration", "durationUnit"),
        _needs("tim-2", "period", "periodUnit"),
        Constraint("tim-4", "duration.exists() implies duration >= 0", is_not_negative("duration")),
        Constraint("tim-5", "period.exists() implies period >= 0", is_not_negative("period")),
        _needs("tim-6", "periodMax", "period"),
        _needs("tim-7", "durationMax", "duration"),
        _needs("tim-8", "countMax", "count"),
        _not_both("tim-10", "timeOfDay", "when"),
    ),
}
"""Type, or path of a backbone element -> its constraints."""
