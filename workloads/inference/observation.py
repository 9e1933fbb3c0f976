"""The Observation of a measurement in a FHIR store (R4)."""

from collections.abc import Iterator
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from workloads.common import google
from workloads.common.dicomweb import StoreError
from workloads.inference.models import Algorithm, Findings
from workloads.inference.reports import uid

FHIR_JSON = "application/fhir+json"
UIDS = "urn:dicom:uid"
"""The system of identifiers that are DICOM UIDs: https://hl7.org/fhir/R4/imagingstudy.html."""
TIMEOUT_SECONDS = 60.0
_SYSTEMS = {"UCUM": "http://unitsofmeasure.org", "SCT": "http://snomed.info/sct"}


class FhirStore:
    """A FHIR store.

    Args:
        name: `projects/P/locations/L/datasets/D/fhirStores/S`
        session: with credentials
    """

    def __init__(self, name: str, session: AuthorizedSession) -> None:
        self._url = f"{google.healthcare_root()}v1/{name}/fhir/Observation"
        self._session = session

    def write(self, observation: dict[str, Any]) -> None:
        """Create an observation, unless the store has one of its identifier.

        Raises:
            StoreError: the store refused it, or did not answer
        """
        identifier = observation["identifier"][0]
        headers = {
            "Content-Type": FHIR_JSON,
            "If-None-Exist": f"identifier={identifier['system']}|{identifier['value']}",
        }
        try:
            answer = self._session.post(
                self._url, json=observation, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except (requests.RequestException, GoogleAuthError) as error:
            reason = f"the FHIR store can't be reached ({type(error).__name__})"
            raise StoreError(reason, None) from error
        if not answer.ok:
            # Its words may quote the resource.
            raise StoreError(f"the FHIR store answers {answer.status_code}", answer.status_code)


def observations(
    image: Dataset, algorithm: Algorithm, findings: Findings
) -> Iterator[dict[str, Any]]:
    """Yield the Observation of each measurement.

    Args:
        image: what was measured
        algorithm: who measured
        findings: what it found
    """
    for each in findings.measurements:
        own = uid(algorithm, image, f"observation {each.name.value}")
        yield {
            "resourceType": "Observation",
            "identifier": [{"system": UIDS, "value": f"urn:oid:{own}"}],
            # No person has looked at it.
            "status": "preliminary",
            "code": _concept(each.name),
            "valueQuantity": {
                "value": each.value,
                "unit": each.unit.meaning,
                "system": _SYSTEMS["UCUM"],
                "code": each.unit.value,
            },
            "device": {"display": f"{algorithm.name} {algorithm.version}"},
            "derivedFrom": [
                {
                    "type": "ImagingStudy",
                    "identifier": {"system": UIDS, "value": f"urn:oid:{image.StudyInstanceUID}"},
                }
            ],
            **_subject(image),
            **_time(image),
        }


def _concept(code: Code) -> dict[str, Any]:
    system = _SYSTEMS.get(code.scheme_designator)
    coding = {"code": code.value, "display": code.meaning, **({"system": system} if system else {})}
    return {"coding": [coding], "text": code.meaning}


def _subject(image: Dataset) -> dict[str, Any]:
    patient = str(image.get("PatientID", "") or "")
    if not patient:
        return {}
    return {"subject": {"type": "Patient", "identifier": {"value": patient}}}


def _time(image: Dataset) -> dict[str, Any]:
    day = str(image.get("StudyDate", "") or "")
    return {"effectiveDateTime": f"{day[:4]}-{day[4:6]}-{day[6:]}"} if len(day) == 8 else {}
