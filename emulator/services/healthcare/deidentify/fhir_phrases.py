"""Phrases that identify the patient of a FHIR resource, for the search in texts."""

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.services.healthcare.deidentify.info_types import PERSON

_SHORTEST = 3
"""Minimum length of a phrase that is searched for in other texts."""
_SUBJECTS = ("subject", "patient", "beneficiary", "individual")
_MEMBERS = {
    "family": PERSON,
    "given": PERSON,
    "city": "LOCATION",
    "district": "LOCATION",
    "line": "LOCATION",
    "postalCode": "LOCATION",
}
"""Members of HumanName and Address -> the info type of their values."""


def patient_of(resource: Mapping[str, Any]) -> str:
    """Return the name of the patient whom a resource is about, `Patient/1`, or its own name.

    All dates of a patient are shifted alike.
    """
    for member in _SUBJECTS:
        found = resource.get(member)
        reference = found.get("reference", "") if isinstance(found, Mapping) else ""
        if isinstance(reference, str) and reference.startswith("Patient/"):
            return "/".join(reference.split("/")[:2])
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"


def phrases(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return the identifying phrases of a resource, with their info types."""
    return {
        text: info_type for text, info_type in _phrases(resource) if len(text.strip()) >= _SHORTEST
    }


def _phrases(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for each in node:
            yield from _phrases(each)
    if not isinstance(node, Mapping):
        return
    for key, member in node.items():
        if key in _MEMBERS:
            listed = member if isinstance(member, list) else [member]
            yield from ((each, _MEMBERS[key]) for each in listed if isinstance(each, str))
        elif key == "identifier":
            yield from _values(member, "MEDICAL_RECORD_NUMBER")
        elif key == "telecom":
            yield from _values(member, "PHONE_NUMBER")
        else:
            yield from _phrases(member)


def _values(member: Any, info_type: str) -> Iterator[tuple[str, str]]:
    for each in member if isinstance(member, list) else [member]:
        if isinstance(each, Mapping) and isinstance(each.get("value"), str):
            yield each["value"], info_type
