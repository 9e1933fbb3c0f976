"""`$consent-enforcement-status` of a consent, and of all consents of a patient.

Documented (the guide): the parameters of an answer, and the statuses. Inferred (conformance:
fhir-consent-status): the types of the values, and that a bundle is a searchset.
"""

from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.consents.models import Status
from emulator.services.healthcare.fhir.consents.parsing import patient_of
from emulator.services.healthcare.fhir.interactions import instance
from emulator.services.healthcare.fhir.interactions.compartment import page_of
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.resources.version import Version

_TYPE = "Consent"


def of_consent(request: FhirRequest) -> Response:
    """Return the status of a consent."""
    instance.current(request)
    return json_response(_parameters(request, request.id))


def of_patient(request: FhirRequest) -> Response:
    """Return the status of each consent of a patient, page by page."""
    patient = instance.current(request)
    rows = request.fhir.resources.select(
        "SELECT DISTINCT r.* FROM fhir_references f JOIN fhir_resources r ON r.number = f.resource"
        " WHERE f.store = ? AND f.target_type = ? AND f.target_id = ? AND r.type = ?"
        " ORDER BY r.number",
        (request.store, patient.type, patient.id, _TYPE),
    )
    found = [
        version
        for version in map(Version.of, rows)
        if patient_of(version.resource()) == patient.id and request.access.permits(version)
    ]
    return page_of(request, found, lambda version: _parameters(request, version.id))


def _parameters(request: FhirRequest, id_: str) -> dict[str, Any]:
    applied = request.fhir.consents.find(request.store, id_)
    parameters = [{"name": "id", "valueId": id_}]
    if applied is not None:
        parameters += [
            {"name": "lastUpdated", "valueInstant": instants.last_updated(applied.applied)},
            {"name": "versionId", "valueString": instants.version_id(applied.version)},
        ]
    status = applied.status if applied else Status.OFF
    parameters.append({"name": "consent-enforcement-status", "valueString": status.value})
    return {"resourceType": "Parameters", "id": id_, "parameter": parameters}
