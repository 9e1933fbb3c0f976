"""Bodies of the Healthcare API, checked against its discovery document."""

from collections.abc import Mapping
from typing import Any

from emulator.core.discovery import api

_ROOTS = {
    "AttributeDefinition": "attribute_definition",
    "Consent": "consent",
    "ConsentArtifact": "consent_artifact",
    "ConsentStore": "consent_store",
    "Dataset": "dataset",
    "DicomStore": "dicom_store",
    "FhirStore": "fhir_store",
    "Hl7V2Store": "hl7_v2_store",
    "UserDataMapping": "user_data_mapping",
}
"""The messages that are a field of their request, which is what errors call them."""


def check(version: str, message: str, body: object) -> None:
    """Refuse a body that is not of the schema.

    Raises:
        ApiError: 400, naming the field at fault with its path, as Google words it.
    """
    api("healthcare", version).check(message, body, _ROOTS.get(message, ""))


def normal(version: str, message: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as this version of the API answers it."""
    return api("healthcare", version).normal(message, body)
