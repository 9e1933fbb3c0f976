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
_CODE_NEEDS_SYSTEM = Constraint("qty-3", "code.empty() or system.exists()", needs("code", "system"))
_ALLERGY = "allergyintolerance-verification"
_CONDITION = "condition-ver-status"

CONSTRAINTS: Mapping[str, Sequence[Constraint]] = {
    **dict.fromkeys(
        ("Age", "Count", "Distance", "Duration", "MoneyQuantity", "Quantity", "SimpleQuantity"),
        (_CODE_NEEDS_SYSTEM,),
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
    "Appointment.participant": (
        Constraint("app-1", "type.exists() or actor.exists()", any_of("type", "actor")),
    ),
    "Attachment": (
        Constraint("att-1", "data.empty() or contentType.exists()", needs("data", "contentType")),
    ),
    "CarePlan.activity": (
        Constraint("cpl-3", "detail.empty() or reference.empty()", not_both("detail", "reference")),
    ),
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
    "Condition.evidence": (
        Constraint("con-2", "code.exists() or detail.exists()", any_of("code", "detail")),
    ),
    "Condition.stage": (
        Constraint(
            "con-1", "summary.exists() or assessment.exists()", any_of("summary", "assessment")
        ),
    ),
    "Consent": (
        Constraint(
            "ppc-1", "policy.exists() or policyRule.exists()", any_of("policy", "policyRule")
        ),
    ),
    "ContactPoint": (
        Constraint("cpt-2", "value.empty() or system.exists()", needs("value", "system")),
    ),
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
        Constraint("fhs-1", "age.empty() or born.empty()", not_both("age", "born")),
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
    "List": (
        Constraint(
            "lst-1", "emptyReason.empty() or entry.empty()", not_both("emptyReason", "entry")
        ),
    ),
    "MedicationAdministration.dosage": (
        Constraint("mad-1", "dose.exists() or rate.exists()", any_of("dose", "rate")),
    ),
    "Observation": (
        Constraint(
            "obs-6",
            "dataAbsentReason.empty() or value.empty()",
            not_both("dataAbsentReason", "value"),
        ),
        Constraint(
            "obs-7",
            "value.empty() or"
            " component.code.where(coding.intersect(%resource.code.coding).exists()).empty()",
            has_no_component_of_its_code,
        ),
    ),
    "Observation.referenceRange": (
        Constraint(
            "obs-3", "low.exists() or high.exists() or text.exists()", any_of("low", "high", "text")
        ),
    ),
    "Organization": (
        Constraint(
            "org-1", "(identifier.count() + name.count()) > 0", any_of("identifier", "name")
        ),
        Constraint("org-2", "where(use = 'home').empty()", no_home("address")),
        Constraint("org-3", "where(use = 'home').empty()", no_home("telecom")),
    ),
    "Patient.contact": (
        Constraint(
            "pat-1",
            "name.exists() or telecom.exists() or address.exists() or organization.exists()",
            any_of("name", "telecom", "address", "organization"),
        ),
    ),
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
    "ServiceRequest": (
        Constraint("prr-1", "orderDetail.empty() or code.exists()", needs("orderDetail", "code")),
    ),
    "Timing.repeat": (
        Constraint(
            "tim-1", "duration.empty() or durationUnit.exists()", needs("duration", "durationUnit")
        ),
        Constraint("tim-2", "period.empty() or periodUnit.exists()", needs("period", "periodUnit")),
        Constraint("tim-4", "duration.exists() implies duration >= 0", is_not_negative("duration")),
        Constraint("tim-5", "period.exists() implies period >= 0", is_not_negative("period")),
        Constraint("tim-6", "periodMax.empty() or period.exists()", needs("periodMax", "period")),
        Constraint(
            "tim-7", "durationMax.empty() or duration.exists()", needs("durationMax", "duration")
        ),
        Constraint("tim-8", "countMax.empty() or count.exists()", needs("countMax", "count")),
        Constraint("tim-10", "timeOfDay.empty() or when.empty()", not_both("timeOfDay", "when")),
    ),
}
"""Type, or path of a backbone element -> its constraints."""
