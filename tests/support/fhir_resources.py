"""Synthetic FHIR resources."""

from typing import Any

IDENTIFIER = {"system": "urn:example:mrn", "value": "7001"}


def patient(id_: str = "", **members: Any) -> dict[str, Any]:
    """Return a patient."""
    return {"resourceType": "Patient", **({"id": id_} if id_ else {}), **members}


def observation(subject: str, id_: str = "", **members: Any) -> dict[str, Any]:
    """Return an observation about a subject."""
    return {
        "resourceType": "Observation",
        **({"id": id_} if id_ else {}),
        "status": "final",
        "code": {"text": "a code"},
        "subject": {"reference": subject},
        **members,
    }


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **request: str) -> Any:
    """Return an entry of a batch or of a transaction."""
    found: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        found["resource"] = resource
    return found | ({"fullUrl": full_url} if full_url else {})
