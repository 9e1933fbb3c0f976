"""The kinds of store as a table: what differs between them, and nothing else."""

import re
from dataclasses import dataclass

LOCATIONS = (
    "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3",
    "asia-south1", "asia-southeast1", "asia-southeast2", "australia-southeast1", "eu",
    "europe-north1", "europe-west2", "europe-west3", "europe-west4", "europe-west6",
    "me-central1", "me-central2", "me-west1", "northamerica-northeast1",
    "northamerica-northeast2", "southamerica-east1", "us", "us-central1", "us-east1", "us-east4",
    "us-west1", "us-west2", "us-west3",
)  # fmt: skip
"""https://cloud.google.com/healthcare-api/docs/regions"""

ID = re.compile(r"[\w\-.]{1,256}")
"""Ids of datasets and of all stores but DICOM stores: letters and digits of any script, `_-.`."""

DICOM_STORE_ID = re.compile(r"[^/:?#\s]{1,256}")
"""DICOM stores may be named more freely; what would break a resource name is refused."""


@dataclass(frozen=True)
class Kind:
    """A kind of store.

    Attributes:
        collection: The part of the path, such as `dicomStores`.
        schema: Its schema in the discovery document.
        id_parameter: The query parameter of a create.
        id_pattern: What its ids look like.
        mutable: The fields that a patch may name.
        noun: What errors call it.
    """

    collection: str
    schema: str
    id_parameter: str
    mutable: frozenset[str]
    noun: str
    id_pattern: re.Pattern[str] = ID


_COMMON = {"labels", "notificationConfig", "notificationConfigs"}

KINDS = {
    kind.collection: kind
    for kind in (
        Kind(
            "dicomStores",
            "DicomStore",
            "dicomStoreId",
            frozenset(_COMMON | {"streamConfigs"}),
            "DICOM store",
            DICOM_STORE_ID,
        ),
        Kind(
            "fhirStores",
            "FhirStore",
            "fhirStoreId",
            frozenset(
                _COMMON
                | {
                    "bulkExportGcsDestination",
                    "complexDataTypeReferenceParsing",
                    "consentConfig",
                    "defaultSearchHandlingStrict",
                    "enableHistoryModifications",
                    "enableUpdateCreate",
                    "searchConfig",
                    "streamConfigs",
                    "validationConfig",
                }
            ),
            "FHIR store",
        ),
        Kind(
            "hl7V2Stores",
            "Hl7V2Store",
            "hl7V2StoreId",
            frozenset(_COMMON | {"parserConfig", "rejectDuplicateMessage"}),
            "HL7v2 store",
        ),
        Kind(
            "consentStores",
            "ConsentStore",
            "consentStoreId",
            frozenset({"defaultConsentTtl", "enableConsentCreateOnUpdate", "labels"}),
            "consent store",
        ),
    )
}
