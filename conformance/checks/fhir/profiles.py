"""Checks of profiles of FHIR stores."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, patient, put, store
from conformance.cloud_project import Json

URL = "https://example.com/fhir/StructureDefinition/named"
GUIDE = "https://example.com/fhir/ImplementationGuide/own"
_ELEMENT = "http://hl7.org/fhir/StructureDefinition/Patient"


def _profile() -> dict[str, Any]:
    name = {"id": "Patient.name", "path": "Patient.name", "min": 1, "max": "*"}
    elements = [{"id": "Patient", "path": "Patient", "min": 0, "max": "*"}, name]
    return {
        "resourceType": "StructureDefinition",
        "id": "named",
        "url": URL,
        "name": "named",
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": _ELEMENT,
        "derivation": "constraint",
        "snapshot": {"element": elements},
        "differential": {"element": elements},
    }


def _guide() -> dict[str, Any]:
    reference = {"reference": {"reference": "StructureDefinition/named"}}
    return {
        "resourceType": "ImplementationGuide",
        "id": "own",
        "url": GUIDE,
        "name": "own",
        "status": "active",
        "packageId": "own",
        "fhirVersion": ["4.0.1"],
        "definition": {"resource": [reference]},
    }


def _profiles(lab: Lab) -> Json:
    """Return answers to a patient without a name, and to one with it."""
    config = {"enabledImplementationGuides": [GUIDE]}
    name = store(lab, "fhir-profiles", validationConfig=config)
    for definition in (_profile(), _guide()):
        put(lab, definition, to=name)
    declared = {"meta": {"profile": [URL]}}
    named = {"name": [{"family": "A"}]}
    validate = f"Patient/$validate?profile={URL}"
    return [
        call(lab, "POST", validate, patient("p"), to=name),
        call(lab, "POST", validate, patient("p", **named), to=name),
        put(lab, patient("p", **declared), to=name),
        put(lab, patient("p", **declared, **named), to=name),
        put(lab, patient("p"), to=name),
    ]


CHECKS = (
    Check("fhir-profiles", "profiles that a resource breaks: which count, the text", _profiles),
)
