"""Types of stores, and the differences between them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


def _accept(_store: Mapping[str, Any]) -> None:
    pass


def _keep(store: Mapping[str, Any]) -> Mapping[str, Any]:
    return store


def _accept_change(_before: Mapping[str, Any], _after: Mapping[str, Any]) -> None:
    pass


@dataclass(frozen=True)
class StoreType:
    """A type of store.

    Attributes:
        collection: in resource names, such as `dicomStores`
        schema: in the discovery document
        id_parameter: query parameter of a create
        id_pattern: of the ids of stores
        mutable: fields that a patch may change
        display_name: in errors
        validate: refuses a store that its data room does not serve; the room registers it
        check_change: refuses a change of a store, before and after; the room registers it
        complete: adds to a store what its data room knows of it; the room registers it
    """

    collection: str
    schema: str
    id_parameter: str
    mutable: frozenset[str]
    display_name: str
    id_pattern: re.Pattern[str] = ID
    validate: Callable[[Mapping[str, Any]], None] = _accept
    check_change: Callable[[Mapping[str, Any], Mapping[str, Any]], None] = _accept_change
    complete: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _keep


_COMMON = {"labels", "notificationConfig", "notificationConfigs"}

STORE_TYPES = {
    type_.collection: type_
    for type_ in (
        StoreType(
            "dicomStores",
            "DicomStore",
            "dicomStoreId",
            frozenset(_COMMON | {"streamConfigs"}),
            "DICOM store",
            DICOM_STORE_ID,
        ),
        StoreType(
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
        StoreType(
            "hl7V2Stores",
            "Hl7V2Store",
            "hl7V2StoreId",
            frozenset(_COMMON | {"parserConfig", "rejectDuplicateMessage"}),
            "HL7v2 store",
        ),
        StoreType(
            "consentStores",
            "ConsentStore",
            "consentStoreId",
            frozenset({"defaultConsentTtl", "enableConsentCreateOnUpdate", "labels"}),
            "consent store",
        ),
    )
}
