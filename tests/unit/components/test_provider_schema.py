"""The components' arguments against the Google provider's schema, field by field."""

import pytest

from components.package.schema import package
from components.rules import google_provider
from engine.standin import provider_schema
from tests.support.provider_fields import Offer, Row, differences, offers

SCHEMA = package("0")
TYPES = SCHEMA["types"]
NAMESPACE = "gcp-healthcare-dicom:index:"
PLACED = "the component places it"

STORE = {"members": ""}
SINGLE = ("sendFullResource", "sendPreviousResourceOnDelete")
ROWS = {
    "DicomStore": Row(
        "gcp:healthcare/dicomStore:DicomStore", STORE, {"dataset": PLACED}, names_values=False
    ),
    "FhirStore": Row(
        "gcp:healthcare/fhirStore:FhirStore",
        # One class of the SDK is for both forms of a notification: the component refuses these.
        {**STORE, **{f"notificationConfig.{name}": "" for name in SINGLE}},
        {"dataset": PLACED},
        names_values=False,
    ),
    "Hl7v2Store": Row(
        "gcp:healthcare/hl7Store:Hl7Store", STORE, {"dataset": PLACED}, names_values=False
    ),
    "ConsentStore": Row(
        "gcp:healthcare/consentStore:ConsentStore", STORE, {"dataset": PLACED}, names_values=False
    ),
    "Subscription": Row(
        "gcp:pubsub/subscription:Subscription",
        {
            "neverExpires": "",
            "deadLetterTopic": "deadLetterPolicy.deadLetterTopic",
            "maxDeliveryAttempts": "deadLetterPolicy.maxDeliveryAttempts",
        },
        {
            "project": PLACED,
            "topic": PLACED,
            "deadLetterPolicy": "deadLetterTopic makes it",
            "expirationPolicy": "neverExpires makes it",
        },
        names_values=False,
    ),
}
"""Class of arguments -> the resource type that it describes."""

COMPONENTS = {
    "HealthcareDataset": Row(
        "gcp:healthcare/dataset:Dataset",
        {
            "dataset": "name",
            "kmsKeyName": "encryptionSpec.kmsKeyName",
            "members": "",
            "dicomStores": "",
            "fhirStores": "",
            "hl7v2Stores": "",
            "consentStores": "",
        },
        {"encryptionSpec": "kmsKeyName makes it"},
        names_values=False,
    ),
    "NotificationTopic": Row(
        "gcp:pubsub/topic:Topic",
        {
            "topic": "name",
            "publishers": "",
            "subscriptions": "",
            "pubsubAgent": "",
            "allowedPersistenceRegions": "messageStoragePolicy.allowedPersistenceRegions",
        },
        {
            "messageStoragePolicy": "allowedPersistenceRegions makes it",
        },
        converted=frozenset({"allowedPersistenceRegions"}),
        names_values=False,
    ),
    "BigQueryDataset": Row(
        "gcp:bigquery/dataset:Dataset",
        {
            "dataset": "datasetId",
            "deleteContents": "deleteContentsOnDestroy",
            "tableExpirationDays": "defaultTableExpirationMs",
            "partitionExpirationDays": "defaultPartitionExpirationMs",
            "kmsKeyName": "defaultEncryptionConfiguration.kmsKeyName",
            "members": "",
        },
        {
            "accesses": "grants are single memberships",
            "defaultEncryptionConfiguration": "kmsKeyName makes it",
        },
        converted=frozenset({"kmsKeyName"}),
        names_values=False,
    ),
    "EncryptionKey": Row(
        "gcp:kms/cryptoKey:CryptoKey",
        {"key": "name", "users": "", "kmsKeyName": "", "project": "", "location": ""},
        {},
        converted=frozenset({"key", "keyRing"}),
        names_values=False,
    ),
}
"""Component -> the resource type that its own arguments describe."""


@pytest.mark.parametrize("name", ROWS)
def test_every_field_of_a_store_or_subscription_is_an_argument(name: str) -> None:
    offered = dict(offers(TYPES[f"{NAMESPACE}{name}"], TYPES))

    assert differences(ROWS[name], offered, provider_schema.load(ROWS[name].token)) == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_field_of_a_component_is_an_argument(name: str) -> None:
    declared = SCHEMA["resources"][f"{NAMESPACE}{name}"]
    schema = {"properties": declared["inputProperties"], "required": declared["requiredInputs"]}
    row = COMPONENTS[name]

    assert differences(row, dict(offers(schema, TYPES)), provider_schema.load(row.token)) == []


@pytest.mark.parametrize("name", SINGLE)
def test_a_field_that_one_form_alone_has_is_refused_in_the_other(name: str) -> None:
    properties = {"notification_config": {"pubsubTopic": "t", name: True}}

    [(path, message)] = google_provider.store_errors(properties)

    assert path.startswith("notification_config.send")
    assert "notificationConfigs" in message


def test_arguments_of_the_sdk_that_are_output_only_are_known() -> None:
    """A class of the SDK takes outputs of nested objects too."""
    fields = provider_schema.load("gcp:healthcare/fhirStore:FhirStore").fields
    nested = {path for path, field in fields.items() if field.output and "." in path}

    assert nested == {"consentConfig.enforcedAdminConsents"}
    assert google_provider.OUTPUT_ONLY == {
        "FhirStoreConsentConfigArgs": ("enforced_admin_consents",)
    }


def test_a_type_is_read_with_its_nested_objects() -> None:
    offered = dict(offers(TYPES[f"{NAMESPACE}FhirStore"], TYPES))

    path = "streamConfigs.bigqueryDestination.schemaConfig.recursiveStructureDepth"
    assert offered[path] == Offer("integer", required=True)
