"""Rows of the Cloud Healthcare API: the dataset, its stores, and the access to each."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from engine.standin.errors import ApiError
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.properties import Properties, Property
from engine.standin.resource import Resource
from engine.standin.rest import Rest
from engine.standin.tables.common import (
    DELETION_POLICY,
    LABEL_OUTPUTS,
    LABELS,
    NAME,
    PROJECT,
    TIMEOUTS,
)
from engine.standin.values import Values

# https://cloud.google.com/healthcare-api/docs/regions
LOCATIONS = (
    "us", "eu", "northamerica-northeast1", "northamerica-northeast2", "us-central1", "us-east1",
    "us-east4", "us-west1", "us-west2", "us-west3", "southamerica-east1", "asia-east1",
    "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1",
    "asia-southeast1", "asia-southeast2", "australia-southeast1", "australia-southeast2",
    "europe-north1", "europe-west2", "europe-west3", "europe-west4", "europe-west6",
    "me-west1", "me-central1", "me-central2",
)  # fmt: skip
_PROJECT_ID = r"(?:(?:[-a-z0-9]{1,63}\.)*(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?):)?[a-z0-9-]{1,63}"
_ID = r"[\w.-]{1,256}"
_ID_WORDS = "1 to 256 letters, digits, underscores, dashes or dots"
_STORE_ID = r"[a-zA-Z0-9_-]{1,256}"  # narrower than the API: so does Google's provider
_DATASET = Property(
    required=True,
    replace=True,
    wire=None,
    pattern=rf"projects/{_PROJECT_ID}/locations/[a-z0-9-]+/datasets/{_ID}",
    allowed="a dataset's full name, projects/PROJECT/locations/LOCATION/datasets/DATASET",
)
_TOPIC = Property(
    required=True,
    pattern=r"projects/[^/]+/topics/[^/]+",
    allowed="a topic's full name, projects/PROJECT/topics/TOPIC",
)
_SELF_LINK = Property(output=True, wire=None)


def _name(pattern: str = _ID, words: str = _ID_WORDS, *, sent: bool = True) -> Property:
    return replace(NAME, pattern=pattern, allowed=words, wire="name" if sent else None)


def _named(answer: Json, known: Values) -> Values:
    """The API answers the full name: that is the self link, and the name is the short one."""
    return {"name": known["name"], "selfLink": answer["name"]}


def _short_name(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"name": known["name"]}


def _not_initialized(error: Exception) -> bool:
    """A dataset just made answers 404 for a while; Google's provider waits for that one."""
    return (
        isinstance(error, ApiError)
        and error.code == 404
        and "dataset not initialized" in error.message.lower()
    )


_DATASETS = Resource(
    pulumi_type="gcp:healthcare/dataset:Dataset",
    title="Dataset",
    properties={
        "name": _name(),
        "location": Property(required=True, replace=True, wire=None, choices=LOCATIONS),
        "project": PROJECT,
        "timeZone": Property(computed=True),
        "encryptionSpec": Property(
            kind="object",
            computed=True,
            replace=True,
            fields={"kmsKeyName": Property(replace=True)},
        ),
        "deletionPolicy": DELETION_POLICY,
        "selfLink": _SELF_LINK,
    },
    behaviour=Rest(
        service="healthcare",
        id="projects/{project}/locations/{location}/datasets/{name}",
        create_call="POST projects/{project}/locations/{location}/datasets?datasetId={name}",
        imports=(
            "projects/{project}/locations/{location}/datasets/{name}",
            "{project}/{location}/{name}",
            "{location}/{name}",
        ),
        decode=_named,
        again=_not_initialized,
    ),
    timeouts=TIMEOUTS,
)


def _store(
    type_: str, title: str, collection: str, properties: Properties, **more: Any
) -> Resource:
    id_parameter = collection.removesuffix("s") + "Id"
    full = "projects/{project}/locations/{location}/datasets/{dataset}"
    decode = more.pop("decode", _named)
    return Resource(
        pulumi_type=f"gcp:healthcare/{type_[0].lower()}{type_[1:]}:{type_}",
        title=title,
        properties=properties,
        behaviour=Rest(
            service="healthcare",
            id=f"{{dataset}}/{collection}/{{name}}",
            create_call=f"POST {{dataset}}/{collection}?{id_parameter}={{name}}",
            imports=(
                f"{full}/{collection}/{{name}}",
                f"{full}/{{name}}",
                "{project}/{location}/{dataset}/{name}",
                "{location}/{dataset}/{name}",
            ),
            seed={"dataset": full},
            decode=decode,
        ),
        timeouts=TIMEOUTS,
        **more,
    )


_DICOM_STORES = _store(
    "DicomStore",
    "DicomStore",
    "dicomStores",
    {
        "dataset": _DATASET,
        "name": _name(_STORE_ID, "1 to 256 letters, digits, underscores or dashes"),
        "notificationConfig": Property(
            kind="object",
            fields={"pubsubTopic": _TOPIC, "sendForBulkImport": Property(kind="boolean")},
        ),
        "streamConfigs": Property(
            kind="list",
            fields={
                "bigqueryDestination": Property(
                    kind="object", required=True, fields={"tableUri": Property(required=True)}
                )
            },
        ),
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        "selfLink": _SELF_LINK,
        **LABEL_OUTPUTS,
    },
)

_ON_OFF = Property(kind="boolean")
_FIXED_ON_OFF = Property(kind="boolean", replace=True)
_OFF = Property(kind="boolean", default=False)
_FHIR_CONSENT = {
    "version": Property(required=True, choices=("CONSENT_ENFORCEMENT_VERSION_UNSPECIFIED", "V1")),
    "accessDeterminationLogConfig": Property(
        kind="object",
        fields={
            "logLevel": Property(
                default="MINIMUM",
                choices=("LOG_LEVEL_UNSPECIFIED", "DISABLED", "MINIMUM", "VERBOSE"),
            )
        },
    ),
    "accessEnforced": _ON_OFF,
    "consentHeaderHandling": Property(
        kind="object",
        fields={
            "profile": Property(
                default="PERMIT_EMPTY_SCOPE",
                choices=("SCOPE_PROFILE_UNSPECIFIED", "PERMIT_EMPTY_SCOPE", "REQUIRED_ON_READ"),
            )
        },
    ),
    "enforcedAdminConsents": Property(kind="list", computed=True),
}
_FHIR_NOTIFICATION = {
    "pubsubTopic": _TOPIC,
    "sendFullResource": _ON_OFF,
    "sendPreviousResourceOnDelete": _ON_OFF,
}
_FHIR_SCHEMA = {
    "recursiveStructureDepth": Property(kind="integer", required=True),
    "lastUpdatedPartitionConfig": Property(
        kind="object",
        fields={
            "type": Property(
                required=True,
                choices=("PARTITION_TYPE_UNSPECIFIED", "HOUR", "DAY", "MONTH", "YEAR"),
            ),
            "expirationMs": Property(),
        },
    ),
    "schemaType": Property(default="ANALYTICS", choices=("ANALYTICS", "ANALYTICS_V2", "LOSSLESS")),
}
_FHIR_STORES = _store(
    "FhirStore",
    "FhirStore",
    "fhirStores",
    {
        "dataset": _DATASET,
        "name": _name(),
        "version": Property(default="STU3", replace=True, choices=("DSTU2", "STU3", "R4")),
        "consentConfig": Property(kind="object", fields=_FHIR_CONSENT),
        "validationConfig": Property(
            kind="object",
            fields={
                "disableFhirpathValidation": _OFF,
                "disableProfileValidation": _OFF,
                "disableReferenceTypeValidation": _OFF,
                "disableRequiredFieldValidation": _OFF,
                "enabledImplementationGuides": Property(kind="list"),
            },
        ),
        "complexDataTypeReferenceParsing": Property(
            computed=True,
            choices=("COMPLEX_DATA_TYPE_REFERENCE_PARSING_UNSPECIFIED", "DISABLED", "ENABLED"),
        ),
        "enableUpdateCreate": _ON_OFF,
        "disableReferentialIntegrity": _FIXED_ON_OFF,
        "disableResourceVersioning": _FIXED_ON_OFF,
        "enableHistoryImport": _FIXED_ON_OFF,
        "enableHistoryModifications": _ON_OFF,
        "notificationConfig": Property(kind="object", fields={**_FHIR_NOTIFICATION}),
        "streamConfigs": Property(
            kind="list",
            fields={
                "bigqueryDestination": Property(
                    kind="object",
                    required=True,
                    fields={
                        "datasetUri": Property(required=True),
                        "schemaConfig": Property(kind="object", required=True, fields=_FHIR_SCHEMA),
                    },
                ),
                "resourceTypes": Property(kind="list"),
            },
        ),
        "defaultSearchHandlingStrict": _ON_OFF,
        "notificationConfigs": Property(kind="list", fields=_FHIR_NOTIFICATION),
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        "selfLink": _SELF_LINK,
        **LABEL_OUTPUTS,
    },
)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _same_json(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


_HL7_STORES = _store(
    "Hl7Store",
    "Hl7V2Store",
    "hl7V2Stores",
    {
        "dataset": _DATASET,
        "name": _name(),
        "rejectDuplicateMessage": _OFF,
        "parserConfig": Property(
            kind="object",
            computed=True,
            fields={
                "allowNullHeader": _ON_OFF,
                "schema": Property(encode=json.loads, decode=_compact, same=_same_json),
                "segmentTerminator": Property(
                    pattern=r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
                    allowed="base64",
                ),
                "version": Property(default="V1", replace=True, choices=("V1", "V2", "V3")),
            },
        ),
        "notificationConfigs": Property(
            kind="list", fields={"pubsubTopic": _TOPIC, "filter": Property()}
        ),
        "notificationConfig": Property(kind="object", fields={"pubsubTopic": _TOPIC}),
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        "selfLink": _SELF_LINK,
        **LABEL_OUTPUTS,
    },
)

_CONSENT_STORES = _store(
    "ConsentStore",
    "ConsentStore",
    "consentStores",
    {
        "dataset": _DATASET,
        "name": _name(sent=False),
        "defaultConsentTtl": Property(
            pattern=r"\d+(?:\.\d{1,9})?s", allowed='seconds, ended by "s", such as 86400s'
        ),
        "enableConsentCreateOnUpdate": _ON_OFF,
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        **LABEL_OUTPUTS,
    },
    decode=_short_name,
)


def _member(type_: str, title: str, key: str, collection: str = "") -> Resource:
    full = "projects/{project}/locations/{location}/datasets/{dataset}"
    short = rf"(?P<location>[a-z0-9-]+)/(?P<dataset>{_ID})"
    long = (
        r"projects/(?P<project>[a-z0-9.:-]+)/locations/(?P<location>[a-z0-9-]+)"
        rf"/datasets/(?P<dataset>{_ID})"
    )
    if collection:
        full += f"/{collection}/{{store}}"
        short += rf"/(?P<store>{_ID})"
        long += rf"/{collection}/(?P<store>{_ID})"
    return Resource(
        pulumi_type=f"gcp:healthcare/{type_[0].lower()}{type_[1:]}:{type_}",
        title=title,
        properties={key: Property(required=True, replace=True), **MEMBER},
        behaviour=Member(
            service="healthcare",
            name=full,
            key=key,
            patterns=(long, rf"(?P<project>[a-z0-9.:-]+)/{short}", short),
            version="v1",  # Google's provider uses v1 for policies, whatever the endpoint says
        ),
    )


@dataclass(frozen=True)
class ConsentMember(Member):
    """A member of a consent store, which two properties name."""

    def _parts(self, values: Values, api: Api) -> dict[str, Any]:
        full = re.fullmatch(rf"(.+)/consentStores/({_ID})", str(values[self.key]))
        if full and "consentStoreId" not in values:  # as an import names it
            values |= {self.key: full[1], "consentStoreId": full[2]}
        return {**super()._parts(values, api), "store": values["consentStoreId"]}


_CONSENT_MEMBERS = Resource(
    pulumi_type="gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember",
    title="IAM member of the consent store",
    properties={
        "dataset": Property(required=True, replace=True),
        "consentStoreId": Property(required=True, replace=True),
        **MEMBER,
    },
    behaviour=ConsentMember(
        service="healthcare",
        name="projects/{project}/locations/{location}/datasets/{dataset}/consentStores/{store}",
        key="dataset",
        patterns=(
            r"projects/(?P<project>[a-z0-9.:-]+)/locations/(?P<location>[a-z0-9-]+)"
            rf"/datasets/(?P<dataset>{_ID})",
        ),
        version="v1",
    ),
)

ROWS = (
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
