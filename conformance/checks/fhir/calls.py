"""Calls of FHIR stores that checks make."""

import json
from typing import Any

from conformance.check import Lab
from conformance.cloud_project import Json

FHIR_JSON = "application/fhir+json"
JSON_PATCH = "application/json-patch+json"


def store(lab: Lab, store_id: str = "fhir", **settings: Any) -> str:
    """Return the full name of a FHIR store, which is created once."""

    def create(lab: Lab) -> str:
        path = f"{lab.names.dataset}/fhirStores"
        body = {"version": "R4", "enableUpdateCreate": True, **settings}
        # Some settings are in v1beta1 alone.
        url, query = f"v1beta1/{path}", {"fhirStoreId": store_id}
        lab.call("healthcare", "POST", url, params=query, json=body)
        return f"{path}/{store_id}"

    return str(lab.once(f"fhir-{store_id}", create))


def call(
    lab: Lab,
    method: str,
    path: str,
    body: Any = None,
    *,
    to: str = "",
    media_type: str = FHIR_JSON,
    **headers: str,
) -> Json:
    """Call the FHIR service of a store.

    Args:
        lab: of the check
        method: of HTTP
        path: below the root of the service
        body: JSON
        to: the store; by default the one that the checks share
        media_type: of the body
        headers: further ones, with `_` for `-`
    """
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{to or store(lab)}/fhir{f'/{path}' if path else ''}"
    if body is None:
        return lab.healthcare(method, url, headers=sent)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lab.healthcare(method, url, data=data, headers={**sent, "Content-Type": media_type})


def patient(id_: str, **members: Any) -> dict[str, Any]:
    """Return a synthetic patient."""
    return {"resourceType": "Patient", "id": id_, **members}


def put(lab: Lab, resource: dict[str, Any], *, to: str = "", **headers: str) -> Json:
    """Create or replace a resource by its id."""
    path = f"{resource['resourceType']}/{resource['id']}"
    return call(lab, "PUT", path, resource, to=to, **headers)


def observation(id_: str, subject: str) -> dict[str, Any]:
    """Return a synthetic observation."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "a code"},
        "subject": {"reference": subject},
    }
