"""The keys of a stack file against the Google provider's schema, field by field.

Output-only, unknown or refused fields have no key; every other field has one, or a reason why not.
"""

import dataclasses
from typing import Any

import pytest

from engine.standin import provider_schema, registry
from engine.standin.iam import Member
from engine.standin.provider_schema import Field, ResourceSchema
from program.config import Settings
from tests.support.provider_fields import LATER, Offer, Row, constrained, differences, offers
from tests.support.settings import problems

SCHEMA = Settings.model_json_schema(by_alias=True)
ALL = dict(offers(SCHEMA, SCHEMA["$defs"]))
GRANTS = "grants are single memberships, which take nothing from others"
PLACED = "the stack places it"

STORE = {"enabled": "", "members": ""}
IN_DATASET = {"dataset": PLACED}
ROWS = {
    "dicomStores": Row("gcp:healthcare/dicomStore:DicomStore", STORE, IN_DATASET),
    "fhirStores": Row("gcp:healthcare/fhirStore:FhirStore", STORE, IN_DATASET),
    "hl7v2Stores": Row("gcp:healthcare/hl7Store:Hl7Store", STORE, IN_DATASET),
    "consentStores": Row("gcp:healthcare/consentStore:ConsentStore", STORE, IN_DATASET),
    "datasets": Row(
        "gcp:healthcare/dataset:Dataset",
        {
            "name": "",
            "dataset": "name",
            "dicomStores": "",
            "fhirStores": "",
            "hl7v2Stores": "",
            "consentStores": "",
            "members": "",
            "deletionProtection": "",
            "encryption": "encryptionSpec",
            "encryption.keyRing": "",
            "encryption.key": "",
            "encryption.rotationPeriod": "",
        },
        {"project": "gcp:project"},
        converted=frozenset({"dataset", "location"}),  # both have defaults
    ),
    "topics": Row(
        "gcp:pubsub/topic:Topic",
        {
            "subscriptions": "",
            "allowedPersistenceRegions": "messageStoragePolicy.allowedPersistenceRegions",
        },
        {
            "project": "gcp:project",
            "messageStoragePolicy": "allowedPersistenceRegions makes it",
            "messageStoragePolicy.enforceInTransit": LATER,
        },
        converted=frozenset({"allowedPersistenceRegions"}),  # required inside a policy alone
    ),
    "topics.subscriptions": Row(
        "gcp:pubsub/subscription:Subscription",
        {
            "neverExpires": "",
            "deadLetter": "deadLetterPolicy",
            "deadLetter.topic": "deadLetterPolicy.deadLetterTopic",
        },
        {
            "project": "gcp:project",
            "topic": PLACED,
            "expirationPolicy": "neverExpires makes it",
            "pushConfig.noWrapper.writeMetadata": "noWrapper sets it to false",
        },
        converted=frozenset({"pushConfig.noWrapper"}),
    ),
    "bigquery": Row(
        "gcp:bigquery/dataset:Dataset",
        {
            "bigqueryDataset": "datasetId",
            "bigqueryDescription": "description",
            "bigqueryDeleteContents": "deleteContentsOnDestroy",
            "bigqueryTableExpirationDays": "defaultTableExpirationMs",
            "bigqueryPartitionExpirationDays": "defaultPartitionExpirationMs",
            "bigqueryLabels": "labels",
            "bigqueryKmsKeyName": "defaultEncryptionConfiguration.kmsKeyName",
            "location": "location",
        },
        {
            "project": "gcp:project",
            "accesses": GRANTS,
            "defaultEncryptionConfiguration": "bigqueryKmsKeyName makes it",
        },
        converted=frozenset({"bigqueryDataset", "bigqueryKmsKeyName"}),  # both have defaults
    ),
    "encryption": Row(
        "gcp:kms/cryptoKey:CryptoKey",
        {"kmsKeyName": "", "key": "name"},
        {
            "labels": "labels are the stack's",
        },
        converted=frozenset({"key", "keyRing"}),  # a check between them requires both
    ),
}
"""Where the keys stand -> the resource type that they describe."""

ADAPTERS = "dimseAdapters and mllpAdapters"
BALANCER = "gateways.loadBalancer"

ELSEWHERE = {
    "gcp:kms/keyRing:KeyRing": "encryption.keyRing",
    "gcp:projects/service:Service": "services",
    "gcp:projects/serviceIdentity:ServiceIdentity": "the program asks for the agents it needs",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": "auditLogs",
    "gcp:bigquery/table:Table": "bigqueryViews",
    "gcp:storage/bucket:Bucket": "pipelines.bucket",
    "gcp:storage/bucketObject:BucketObject": "pipelines",
    "gcp:compute/subnetwork:Subnetwork": "pipelines.subnetworkRange",
    "gcp:logging/projectSink:ProjectSink": "auditLogSink",
    "gcp:logging/metric:Metric": "accessAlert.metric",
    "gcp:monitoring/alertPolicy:AlertPolicy": "accessAlert",
    "gcp:monitoring/notificationChannel:NotificationChannel": "accessAlert.emails",
    "gcp:artifactregistry/repository:Repository": "adapterRepository",
    "gcp:cloudrunv2/job:Job": "no part of a stack",
    "gcp:cloudrunv2/service:Service": "inferenceServices",
    "gcp:cloudrunv2/workerPool:WorkerPool": "dimseAdapters.outgoing and mllpAdapters.outgoing",
    "gcp:compute/address:Address": ADAPTERS,
    "gcp:compute/firewall:Firewall": "dimseAdapters.sourceRanges and mllpAdapters.sourceRanges",
    "gcp:compute/forwardingRule:ForwardingRule": ADAPTERS,
    "gcp:compute/haVpnGateway:HaVpnGateway": "vpns",
    "gcp:compute/instanceTemplate:InstanceTemplate": ADAPTERS,
    "gcp:compute/regionBackendService:RegionBackendService": ADAPTERS,
    "gcp:compute/regionHealthCheck:RegionHealthCheck": ADAPTERS,
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": ADAPTERS,
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": "vpns.peerAddresses",
    "gcp:compute/backendService:BackendService": BALANCER,
    "gcp:compute/globalAddress:GlobalAddress": BALANCER,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": BALANCER,
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": f"{BALANCER}.domains",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": BALANCER,
    "gcp:compute/sSLPolicy:SSLPolicy": f"{BALANCER}.tlsProfile",
    "gcp:compute/securityPolicy:SecurityPolicy": f"{BALANCER}.armor",
    "gcp:compute/targetHttpProxy:TargetHttpProxy": f"{BALANCER}.redirectHttp",
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": f"{BALANCER}.certificates",
    "gcp:compute/uRLMap:URLMap": BALANCER,
    "gcp:compute/router:Router": "vpns",
    "gcp:compute/routerInterface:RouterInterface": "vpns.tunnels.address",
    "gcp:compute/routerPeer:RouterPeer": "vpns.tunnels.peerAddress",
    "gcp:compute/vPNTunnel:VPNTunnel": "vpns",
    "gcp:secretmanager/secret:Secret": "secrets are not the stack's",
    "gcp:secretmanager/secretVersion:SecretVersion": "secrets are not the stack's",
    "gcp:serviceaccount/account:Account": "sides of adapters and services have their own",
}
"""Types without an object of keys of their own."""

GRANT_KEYS = {
    "gcp:healthcare/datasetIamMember:DatasetIamMember": "datasets.members",
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": "dicomStores.members",
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": "fhirStores.members",
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": "hl7v2Stores.members",
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": "consentStores.members",
    "gcp:projects/iAMMember:IAMMember": "projectMembers",
    "gcp:bigquery/datasetIamMember:DatasetIamMember": "bigqueryMembers",
}
"""Grants that a stack file can name; those on keys, topics and buckets are the program's."""

PARSER = {"version": "V3"}
GRANT = {"role": "roles/viewer", "members": ["me"]}
REFUSED: dict[str, dict[str, Any]] = {
    "gcp:healthcare/hl7Store:Hl7Store parserConfig.allowNullHeader": {
        "hl7v2Stores": [{"name": "h", "parserConfig": PARSER}]
    },
    "gcp:healthcare/hl7Store:Hl7Store parserConfig.schema": {
        "hl7v2Stores": [{"name": "h", "parserConfig": {"schema": "{"}}]
    },
    "gcp:healthcare/hl7Store:Hl7Store parserConfig.segmentTerminator": {
        "hl7v2Stores": [{"name": "h", "parserConfig": {"segmentTerminator": "%"}}]
    },
    "gcp:bigquery/dataset:Dataset datasetId": {"bigqueryDataset": "data-set"},
    "gcp:bigquery/dataset:Dataset defaultTableExpirationMs": {"bigqueryTableExpirationDays": -1},
    "gcp:kms/cryptoKey:CryptoKey rotationPeriod": {
        "encryption": {"keyRing": "r", "key": "k", "rotationPeriod": "1s"}
    },
    "gcp:pubsub/subscription:Subscription filter": {
        "topics": [{"name": "imaging", "subscriptions": [{"name": "sub", "filter": "f" * 257}]}]
    },
    **{
        f"{token} member": {keys.split(".")[-1]: [GRANT]}
        if "." not in keys or keys.startswith("datasets")
        else {keys.split(".")[0]: [{"name": "s", "members": [GRANT]}]}
        for token, keys in GRANT_KEYS.items()
    },
}
"""Each constraint of the provider that types and values do not say -> settings that break it."""

NO_KEY_BREAKS_IT = {
    # No stack sets two of them: there are no keys for deliveries to BigQuery or Cloud Storage.
    "gcp:pubsub/subscription:Subscription pushConfig",
}


def keys_of(settings_key: str) -> dict[str, Offer]:
    if settings_key == "bigquery":
        return {key: offer for key, offer in ALL.items() if key in ROWS[settings_key].renamed}
    prefix = f"{settings_key}."
    found = {
        key.removeprefix(prefix): offer for key, offer in ALL.items() if key.startswith(prefix)
    }
    assert found
    return found


@pytest.mark.parametrize("settings_key", ROWS)
def test_every_field_has_a_key_or_a_reason(settings_key: str) -> None:
    row = ROWS[settings_key]

    assert differences(row, keys_of(settings_key), provider_schema.load(row.token)) == []


def test_every_resource_type_is_accounted_for() -> None:
    granted = {
        type_.pulumi_type
        for type_ in registry.resource_types()
        if isinstance(type_.operations, Member)
    }
    described = {row.token for row in ROWS.values()} | ELSEWHERE.keys()
    assert set(provider_schema.tokens()) == described | granted
    assert GRANT_KEYS.keys() <= granted


@pytest.mark.parametrize("token", GRANT_KEYS)
def test_a_condition_has_a_key_where_the_provider_finds_it_again(token: str) -> None:
    type_ = registry.find(token)
    assert type_ is not None
    assert isinstance(type_.operations, Member)
    offered = f"{GRANT_KEYS[token]}.condition" in ALL

    assert offered == type_.operations.conditions
    assert provider_schema.load(token).fields["condition"].maxItems == 1


@pytest.mark.parametrize("token", sorted({row.token for row in ROWS.values()} | GRANT_KEYS.keys()))
def test_every_constraint_is_an_error_of_the_settings(token: str) -> None:
    offered = {
        path
        for row in ROWS.values()
        if row.token == token
        for path in constrained(provider_schema.load(token))
        if not {path, path.partition(".")[0]} & row.not_offered.keys()
    } or (set(constrained(provider_schema.load(token))) if token in GRANT_KEYS else set())
    for path in offered:
        name = f"{token} {path}"
        if name not in NO_KEY_BREAKS_IT:
            assert problems(**REFUSED[name])


class TestAChangedCopy:
    """A new version of the provider that changes a field fails these tests."""

    ROW = ROWS["fhirStores"]

    def changed(self, **fields: Field) -> list[str]:
        schema = provider_schema.load(self.ROW.token)
        copy = ResourceSchema(
            fields={**schema.fields, **{k.replace("__", "."): v for k, v in fields.items()}},
            timeouts=schema.timeouts,
            importable=schema.importable,
        )
        return differences(self.ROW, keys_of("fhirStores"), copy)

    def field(self, path: str, **changes: Any) -> Field:
        return dataclasses.replace(provider_schema.load(self.ROW.token).fields[path], **changes)

    def test_a_new_field(self) -> None:
        new = Field(terraform="new_field", type="String", optional=True)
        assert self.changed(newField=new) == ["newField: no key sets it"]
        assert self.changed(consentConfig__new=new) == ["consentConfig.new: no key sets it"]

    def test_a_new_output_changes_nothing(self) -> None:
        assert self.changed(new=Field(terraform="new", type="String", computed=True)) == []

    def test_a_field_that_becomes_output_only(self) -> None:
        output = self.field("enableUpdateCreate", optional=False, computed=True)
        assert self.changed(enableUpdateCreate=output) == [
            "enableUpdateCreate: enableUpdateCreate is output only"
        ]

    def test_fewer_values(self) -> None:
        assert self.changed(version=self.field("version", values=("STU3", "R4"))) == [
            "version: takes values that the provider refuses: it allows ['R4', 'STU3']"
        ]

    def test_fewer_items(self) -> None:
        assert self.changed(streamConfigs=self.field("streamConfigs", maxItems=3)) == [
            "streamConfigs: takes more items than the 3 of the provider"
        ]

    def test_another_type(self) -> None:
        assert self.changed(version=self.field("version", type="Int", values=())) == [
            "version: is of type string, the provider's is integer"
        ]

    def test_a_field_that_becomes_required(self) -> None:
        required = self.field("enableUpdateCreate", optional=False, required=True)
        assert self.changed(enableUpdateCreate=required) == [
            "enableUpdateCreate: may be left out, and the provider requires it"
        ]
