"""Resource types of the Cloud Healthcare API: the dataset, its stores, and the access to each."""

import json
import re
from dataclasses import dataclass
from typing import Any

from engine.standin.checking import refusals
from engine.standin.http import Api
from engine.standin.iam import MEMBER, Member
from engine.standin.resource import ResourceType
from engine.standin.resource_types.common import IN_PATH, resource_type
from engine.standin.resource_types.healthcare_common import (
    ID_PATTERN,
    NAMED,
    decode_name,
    decode_short_name,
    is_not_initialized,
    store_type,
)
from engine.standin.rest import Rest
from engine.standin.values import Values

_DATASETS = resource_type(
    "gcp:healthcare/dataset:Dataset",
    "Dataset",
    Rest(
        service="healthcare",
        id="projects/{project}/locations/{location}/datasets/{name}",
        create_call="POST projects/{project}/locations/{location}/datasets?datasetId={name}",
        imports=(
            "projects/{project}/locations/{location}/datasets/{name}",
            "{project}/{location}/{name}",
            "{location}/{name}",
        ),
        decode=decode_name,
        again=is_not_initialized,
    ),
    quirks={**NAMED, "location": IN_PATH},
)
_DICOM_STORES = store_type("DicomStore", "DicomStore", "dicomStores", NAMED)
_FHIR_STORES = store_type("FhirStore", "FhirStore", "fhirStores", NAMED)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _same_json(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


_HL7_STORES = store_type(
    "Hl7Store",
    "Hl7V2Store",
    "hl7V2Stores",
    {
        **NAMED,
        # Observed: the real plug-in does not fill it, although its schema has a default.
        "rejectDuplicateMessage": {"default": None},
        "parserConfig.schema": {
            "encode": json.loads,
            "decode": _compact,
            "same": _same_json,
            "validate": refusals.json_text,
        },
        "parserConfig.segmentTerminator": {"validate": refusals.base64_text},
    },
)
_CONSENT_STORES = store_type(
    "ConsentStore", "ConsentStore", "consentStores", {}, decode=decode_short_name
)


def _member(type_: str, title: str, key: str, collection: str = "") -> ResourceType:
    full = "projects/{project}/locations/{location}/datasets/{dataset}"
    short = rf"(?P<location>[a-z0-9-]+)/(?P<dataset>{ID_PATTERN})"
    long = (
        r"projects/(?P<project>[a-z0-9.:-]+)/locations/(?P<location>[a-z0-9-]+)"
        rf"/datasets/(?P<dataset>{ID_PATTERN})"
    )
    if collection:
        full += f"/{collection}/{{store}}"
        short += rf"/(?P<store>{ID_PATTERN})"
        long += rf"/{collection}/(?P<store>{ID_PATTERN})"
    return resource_type(
        f"gcp:healthcare/{type_[0].lower()}{type_[1:]}:{type_}",
        title,
        Member(
            service="healthcare",
            name=full,
            key=key,
            patterns=(long, rf"(?P<project>[a-z0-9.:-]+)/{short}", short),
            conditions=False,
            version="v1",  # Google's provider uses v1 for policies, whatever the endpoint says
        ),
        quirks=MEMBER,
    )


@dataclass(frozen=True)
class ConsentMember(Member):
    """A member of a consent store, which two properties name."""

    def _parts(self, values: Values, api: Api) -> dict[str, Any]:
        full = re.fullmatch(rf"(.+)/consentStores/({ID_PATTERN})", str(values[self.key]))
        if full and "consentStoreId" not in values:  # as an import names it
            values |= {self.key: full[1], "consentStoreId": full[2]}
        store = str(values["consentStoreId"]).rpartition("/")[2]  # an output is the full name
        return {**super()._parts(values, api), "store": store}


def _same_store(one: str, other: str) -> bool:
    return one.rpartition("/")[2] == other.rpartition("/")[2]


_CONSENT_MEMBERS = resource_type(
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember",
    "IAM member of the consent store",
    ConsentMember(
        service="healthcare",
        name="projects/{project}/locations/{location}/datasets/{dataset}/consentStores/{store}",
        key="dataset",
        patterns=(
            r"projects/(?P<project>[a-z0-9.:-]+)/locations/(?P<location>[a-z0-9-]+)"
            rf"/datasets/(?P<dataset>{ID_PATTERN})",
        ),
        version="v1",
        conditions=False,
        shown={
            "consentStoreId": "projects/{project}/locations/{location}/datasets/{dataset}"
            "/consentStores/{store}"
        },
    ),
    quirks={"consentStoreId": {"same": _same_store}, **MEMBER},
)

RESOURCE_TYPES = (
    _CONSENT_MEMBERS,
    _DATASETS,
    _DICOM_STORES,
    _FHIR_STORES,
    _HL7_STORES,
    _CONSENT_STORES,
    _member("DatasetIamMember", "IAM member of the Healthcare dataset", "datasetId"),
    _member("DicomStoreIamMember", "IAM member of the DICOM store", "dicomStoreId", "dicomStores"),
    _member("FhirStoreIamMember", "IAM member of the FHIR store", "fhirStoreId", "fhirStores"),
    _member("Hl7StoreIamMember", "IAM member of the HL7v2 store", "hl7V2StoreId", "hl7V2Stores"),
)
