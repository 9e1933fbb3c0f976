"""Consents of a FHIR store for tests: the example of the vendor's guide in short."""

from typing import Any

EXTENSIONS = "https://g.co/fhir/medicalrecords"
HL7 = "http://terminology.hl7.org/CodeSystem"


def consent(
    id_: str,
    patient: str = "",
    *,
    type_: str = "permit",
    actors: tuple[str, ...] = ("Practitioner/1",),
    purpose: str = "",
    environment: str = "",
    types: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    cascades: bool = False,
    **provision: Any,
) -> dict[str, Any]:
    """Return a consent of a patient, or a policy of administrators without one.

    Args:
        id_: of the resource
        patient: such as `Patient/1`
        type_: `permit` or `deny`
        actors: references
        purpose: a code, such as `TREAT`
        environment: such as `App/1`
        types: resource types
        tags: codes of alternative tags
        cascades: whether the policy is a cascading one
        **provision: further elements of the provision; `extension` is added to
    """
    extensions = [*provision.pop("extension", [])]
    if environment:
        system, _, code = environment.partition("/")
        concept = {"coding": [{"system": system, "code": code}]}
        extensions.append({"url": f"{EXTENSIONS}/Environment", "valueCodeableConcept": concept})
    for tag in tags:
        coding = {"system": "urn:example:tags", "code": tag}
        extensions.append({"url": f"{EXTENSIONS}/DataTag", "valueCoding": coding})
    rule: dict[str, Any] = {
        "type": type_,
        "actor": [
            {
                "reference": {"reference": actor},
                "role": {"coding": [{"system": f"{HL7}/v3-RoleCode", "code": "GRANTEE"}]},
            }
            for actor in actors
        ],
        **provision,
    }
    if purpose:
        rule["purpose"] = [{"system": f"{HL7}/v3-ActReason", "code": purpose}]
    if types:
        system = "http://hl7.org/fhir/resource-types"
        rule["class"] = [{"system": system, "code": each} for each in types]
    if extensions:
        rule["extension"] = extensions
    found: dict[str, Any] = {
        "resourceType": "Consent",
        "id": id_,
        "status": "active",
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"coding": [{"system": f"{HL7}/v3-ActCode", "code": "OPTIN"}]},
        "scope": {"coding": [{"system": f"{HL7}/consentscope", "code": "patient-privacy"}]},
        "provision": rule,
    }
    if patient:
        return {**found, "patient": {"reference": patient}}
    urls = ["ConsentAdminPolicy", *(["CascadingPolicy"] if cascades else [])]
    marks = [{"url": f"{EXTENSIONS}/{each}"} for each in urls]
    return {**found, "extension": marks, "patient": {}, "scope": {}}  # as in the guide
