"""FHIR resources for measurements: always the same ones, a patient with some observations."""

from collections.abc import Iterator
from typing import Any

PER_PATIENT = 10
"""Resources of a patient: one is the patient, the others are observations."""
IMPORTED, SEARCHED = 50_000, 100_000
"""Resources of the import, and of the store that is searched."""
SYSTEM = "urn:benchmark:mrn"
_LOINC, _UNITS = "http://loinc.org", "http://unitsofmeasure.org"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


def resources(count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Yield so many resources from a number on, each patient before its observations."""
    for number in range(first, first + count):
        patient, observation = divmod(number, PER_PATIENT)
        yield _observation(patient, observation) if observation else _patient(patient)


def transaction(count: int, first: int = 0) -> dict[str, Any]:
    """Return a transaction that brings so many resources."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources(count, first)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _patient(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": SYSTEM, "value": str(number)}],
        "name": [{"family": f"Family{number % 997}", "given": ["Anna", f"B{number % 31}"]}],
        "gender": ("female", "male")[number % 2],
        "birthDate": f"{1930 + number % 80}-0{1 + number % 9}-15",
        "address": [{"line": ["Main Road 1"], "city": "Bern", "postalCode": "3000"}],
        "telecom": [{"system": "phone", "value": f"0{number}"}],
    }


def _observation(patient: int, number: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{patient}-{number}",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORIES, "code": "vital-signs"}]}],
        "code": {
            "coding": [{"system": _LOINC, "code": "8480-6", "display": "Systolic blood pressure"}],
            "text": "Systolic blood pressure",
        },
        "subject": {"reference": f"Patient/p{patient}"},
        "effectiveDateTime": f"2024-03-0{number}T10:00:00Z",
        "valueQuantity": {
            "value": 100 + (patient + number) % 80,
            "unit": "mmHg",
            "system": _UNITS,
            "code": "mm[Hg]",
        },
    }
