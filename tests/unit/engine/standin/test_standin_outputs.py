"""Outputs as the real plug-in writes them: every difference that was observed in a state."""

from typing import Any

import pytest

from tests.support.fake_google import FakeGoogle
from tests.support.plugin import Engine, RefusedError

PARENT = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = {"name": "s", "dataset": PARENT}
TOPIC = {"name": "imaging"}
GRANT = {"role": "roles/x.viewer", "member": "user:a@example.com"}
KEY = {"name": "k", "keyRing": "projects/p/locations/l/keyRings/r"}
PUSH = {"pushEndpoint": "https://worker.example.com", "attributes": {"x-goog-version": "v1"}}
CONDITION = {"title": "t", "expression": "true"}


@pytest.mark.parametrize(
    ("type_", "news", "shown"),
    [
        ("healthcare/dataset:Dataset", {"name": "d", "location": "eu"}, {"encryptionSpec": None}),
        (
            "healthcare/dicomStore:DicomStore",
            STORE,
            {"notificationConfig": None, "streamConfigs": []},
        ),
        (
            "healthcare/dicomStore:DicomStore",
            {**STORE, "notificationConfig": {"pubsubTopic": "t"}},
            {"notificationConfig": {"pubsubTopic": "t", "sendForBulkImport": False}},
        ),
        (
            "healthcare/fhirStore:FhirStore",
            STORE,
            {
                "complexDataTypeReferenceParsing": "",
                "consentConfig": None,
                "defaultSearchHandlingStrict": False,
                "disableReferentialIntegrity": False,
                "disableResourceVersioning": False,
                "enableHistoryImport": False,
                "enableHistoryModifications": False,
                "enableUpdateCreate": False,
                "notificationConfig": None,
                "notificationConfigs": [],
                "streamConfigs": [],
                "validationConfig": None,
            },
        ),
        (
            "healthcare/fhirStore:FhirStore",
            {**STORE, "consentConfig": {"version": "V1"}},
            {
                "consentConfig": {
                    "version": "V1",
                    "accessDeterminationLogConfig": None,
                    "accessEnforced": False,
                    "consentHeaderHandling": None,
                    "enforcedAdminConsents": [],
                }
            },
        ),
        (
            "healthcare/hl7Store:Hl7Store",
            STORE,
            {
                "notificationConfig": None,
                "notificationConfigs": [],
                "parserConfig": None,
                "rejectDuplicateMessage": False,
            },
        ),
        (
            "healthcare/hl7Store:Hl7Store",
            {**STORE, "parserConfig": {"version": "V3", "allowNullHeader": True}},
            {
                "parserConfig": {
                    "version": "V3",
                    "allowNullHeader": True,
                    "schema": "",
                    "segmentTerminator": "",
                }
            },
        ),
        (
            "bigquery/dataset:Dataset",
            {"datasetId": "d"},
            {
                "defaultCollation": "",
                "defaultEncryptionConfiguration": None,
                "defaultPartitionExpirationMs": 0,
                "defaultTableExpirationMs": 0,
                "externalCatalogDatasetOptions": None,
                "externalDatasetReference": None,
                "friendlyName": "",
                "isCaseInsensitive": False,
                "maxTimeTravelHours": "",
                "resourceTags": None,
                "storageBillingModel": "",
                "accesses": [
                    {
                        "condition": None,
                        "dataset": None,
                        "domain": "",
                        "groupByEmail": "",
                        "iamMember": "",
                        "role": "OWNER",
                        "routine": None,
                        "specialGroup": "projectOwners",
                        "userByEmail": "",
                        "view": None,
                    }
                ],
            },
        ),
        (
            "kms/cryptoKey:CryptoKey",
            KEY,
            {"cryptoKeyBackend": "", "importOnly": False, "skipInitialVersionCreation": None},
        ),
        (
            "projects/service:Service",
            {"service": "healthcare.googleapis.com"},
            {"checkIfServiceHasUsageOnDestroy": None, "disableDependentServices": None},
        ),
        (
            "pubsub/subscription:Subscription",
            {"name": "sub", "topic": "imaging"},
            {
                "deadLetterPolicy": None,
                "enableExactlyOnceDelivery": False,
                "enableMessageOrdering": False,
                "filter": "",
                "pushConfig": None,
                "retainAckedMessages": False,
                "retryPolicy": None,
                "tags": None,
            },
        ),
        (
            "pubsub/subscription:Subscription",
            {"name": "sub", "topic": "imaging", "pushConfig": PUSH},
            {
                "pushConfig": {
                    "pushEndpoint": "https://worker.example.com",
                    "attributes": None,
                    "noWrapper": None,
                    "oidcToken": None,
                }
            },
        ),
        (
            "pubsub/topic:Topic",
            TOPIC,
            {
                "kmsKeyName": "",
                "messageRetentionDuration": "",
                "messageStoragePolicy": None,
                "schemaSettings": None,
                "tags": None,
            },
        ),
        (
            "pubsub/topic:Topic",
            {**TOPIC, "messageStoragePolicy": {"allowedPersistenceRegions": ["us-b1", "eu-a1"]}},
            {
                "messageStoragePolicy": {
                    "allowedPersistenceRegions": ["eu-a1", "us-b1"],
                    "enforceInTransit": False,
                }
            },
        ),
        ("projects/iAMMember:IAMMember", {"project": "p-1", **GRANT}, {"condition": None}),
        (
            "pubsub/topicIAMMember:TopicIAMMember",
            {"topic": "imaging", **GRANT},
            {"condition": None, "topic": "projects/local-project/topics/imaging"},
        ),
        (
            "pubsub/subscriptionIAMMember:SubscriptionIAMMember",
            {"subscription": "sub", **GRANT},
            {"condition": None, "subscription": "sub"},
        ),
        (
            "healthcare/consentStoreIamMember:ConsentStoreIamMember",
            {"dataset": PARENT, "consentStoreId": "c", **GRANT},
            {"condition": None, "consentStoreId": f"{PARENT}/consentStores/c"},
        ),
    ],
)
def test_zero_values_are_there(
    engine: Engine, google: FakeGoogle, type_: str, news: Any, shown: Any
) -> None:
    token = f"gcp:{type_}"
    google.resources["projects/local-project"] = {"lifecycleState": "ACTIVE"}

    id_, state = engine.create(token, news)

    assert {name: state[name] for name in shown} == shown
    assert not engine.diff(token, id_, state, news).detailedDiff
    assert engine.read(token, id_, state, engine.inputs(token, news))[1] == state


@pytest.mark.parametrize(
    ("type_", "news"),
    [
        ("healthcare/hl7Store:Hl7Store", {**STORE, "labels": {}}),
        ("kms/cryptoKey:CryptoKey", {**KEY, "labels": {}}),
        ("pubsub/subscription:Subscription", {"name": "s-1", "topic": "t", "pushConfig": PUSH}),
    ],
)
def test_inputs_name_what_the_real_plugin_fills(engine: Engine, type_: str, news: Any) -> None:
    inputs = engine.inputs(f"gcp:{type_}", news)

    filled = {"rejectDuplicateMessage", "skipInitialVersionCreation"}
    assert not filled & inputs.keys()
    assert inputs.get("labels", {}) == {}
    assert "__defaults" not in inputs.get("pushConfig", {}).get("attributes", {})


@pytest.mark.parametrize(
    ("type_", "target"),
    [
        ("healthcare/datasetIamMember:DatasetIamMember", {"datasetId": PARENT}),
        (
            "healthcare/dicomStoreIamMember:DicomStoreIamMember",
            {"dicomStoreId": f"{PARENT}/dicomStores/s"},
        ),
        (
            "healthcare/consentStoreIamMember:ConsentStoreIamMember",
            {"dataset": PARENT, "consentStoreId": "c"},
        ),
        ("pubsub/topicIAMMember:TopicIAMMember", {"topic": "imaging"}),
        ("pubsub/subscriptionIAMMember:SubscriptionIAMMember", {"subscription": "sub"}),
    ],
)
def test_a_conditional_grant_is_never_found_again(engine: Engine, type_: str, target: Any) -> None:
    """Observed: the provider reads these policies in version 1."""
    with pytest.raises(RefusedError) as refused:
        engine.create(f"gcp:{type_}", {**target, **GRANT, "condition": CONDITION})

    urn = f"urn:pulumi:local::lab::lab:component:C$gcp:{type_}::one"
    assert refused.value.text == f"expected non-nil error with nil state during Create of {urn}"


@pytest.mark.parametrize(
    ("type_", "target"),
    [
        ("projects/iAMMember:IAMMember", {"project": "p-1"}),
        (
            "kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            {"cryptoKeyId": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
        ),
        ("storage/bucketIAMMember:BucketIAMMember", {"bucket": "bucket-1"}),
        (
            "iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember",
            {"location": "l", "cloudRunServiceName": "gateway"},
        ),
        ("bigquery/datasetIamMember:DatasetIamMember", {"datasetId": "dataset1"}),
    ],
)
def test_conditions_work_where_the_provider_reads_them(
    engine: Engine, google: FakeGoogle, type_: str, target: Any
) -> None:
    news = {**target, **GRANT, "condition": CONDITION}
    google.resources["projects/local-project/datasets/dataset1"] = {"access": []}

    id_, state = engine.create(f"gcp:{type_}", news)

    assert state["condition"] == {**CONDITION, "description": ""}
    assert not engine.diff(f"gcp:{type_}", id_, state, news).detailedDiff


def test_bindings_are_written_by_role(engine: Engine, google: FakeGoogle) -> None:
    """Observed: the provider sorts the bindings of a policy that it writes."""
    member = "gcp:projects/iAMMember:IAMMember"
    for role in ("roles/z", "roles/b", "roles/a"):
        engine.create(member, {"project": "p-1", "role": role, "member": "user:a@example.com"})

    bindings = google.policies["projects/p-1"]["bindings"]
    assert [binding["role"] for binding in bindings] == ["roles/a", "roles/b", "roles/z"]


def test_an_import_takes_no_zero_values_for_inputs(engine: Engine, google: FakeGoogle) -> None:
    notification = {"pubsubTopic": "t"}
    token = "gcp:healthcare/dicomStore:DicomStore"
    id_, _ = engine.create(token, {**STORE, "notificationConfig": notification})

    _, state, inputs = engine.read(token, id_)

    assert state["notificationConfig"] == {**notification, "sendForBulkImport": False}
    assert inputs["notificationConfig"] == notification
    assert "streamConfigs" not in inputs
