"""Cases that pass and cases that fail in production."""

from collections.abc import Sequence
from typing import Any

from policy.model import UNKNOWN, Resource
from tests.unit.policy.builders import (
    AGENT,
    IDENTITY_TYPE,
    LOG_TYPES,
    audit,
    bigquery_dataset,
    dataset,
    grant,
    production_store,
    resource,
    store,
)
from tests.unit.policy.case import Case

BUCKET = "gcp:storage/bucket:Bucket"
TOPIC = "gcp:pubsub/topic:Topic"
KEY = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
FORCED = {"environment": "production"}
BY_LABEL = 'and the label environment of "images" says "production"'
BY_CONFIG = 'and the policy configuration says that the stack is "production"'
IDENTITY = resource(IDENTITY_TYPE, {"service": "healthcare.googleapis.com"}, name="agent")
SERVICE = resource("gcp:projects/service:Service", {"service": "healthcare.googleapis.com"})
NO_KEY = "encryptionSpec.kmsKeyName is not set"
NOT_PROTECTED = "neither protect nor the deletion policy PREVENT keeps it from deletion"
ON_PROJECT = "on the whole project for the Healthcare service agent"

TEMPLATE = "gcp:compute/instanceTemplate:InstanceTemplate"


def disks(*data: dict[str, Any]) -> Resource:
    """An instance template with a boot disk and data disks."""
    return resource(TEMPLATE, {"disks": [{"boot": True}, *data]})


PRODUCTION_CASES: dict[str, Sequence[Case]] = {
    "production-customer-keys": (
        Case("no production", [store({"environment": "lab"}), dataset(), bigquery_dataset()]),
        Case(
            "all have keys",
            [
                production_store(),
                dataset({"encryptionSpec": {"kmsKeyName": KEY}}),
                bigquery_dataset({"defaultEncryptionConfiguration": {"kmsKeyName": KEY}}),
                resource(BUCKET, {"encryption": {"defaultKmsKeyName": KEY}}),
                resource(TOPIC, {"kmsKeyName": KEY}),
                disks({"boot": False, "diskEncryptionKey": {"kmsKeySelfLink": KEY}}),
            ],
        ),
        Case(
            "the disk of a spool without a key",
            [production_store(), disks({"deviceName": "spool"})],
            [f"disks[1].diskEncryptionKey is not set, {BY_LABEL}"],
        ),
        Case(
            "a key still to come",
            [production_store(), dataset({"encryptionSpec": {"kmsKeyName": UNKNOWN}})],
        ),
        Case("unknown as a whole", [production_store(), dataset({"encryptionSpec": UNKNOWN})]),
        Case(
            "the configuration has the last word",
            [production_store(), dataset()],
            config={"environment": "staging"},
        ),
        Case(
            "none has a key",
            [production_store(), dataset(), bigquery_dataset(), resource(BUCKET), resource(TOPIC)],
            [
                f"{NO_KEY}, {BY_LABEL}",
                f"defaultEncryptionConfiguration.kmsKeyName is not set, {BY_LABEL}",
                f"encryption.defaultKmsKeyName is not set, {BY_LABEL}",
                f"kmsKeyName is not set, {BY_LABEL}",
            ],
        ),
        Case(
            "an empty key",
            [dataset({"encryptionSpec": {"kmsKeyName": ""}})],
            [f"{NO_KEY}, {BY_CONFIG}"],
            FORCED,
        ),
    ),
    "production-audit-logs": (
        Case("no production", [store({"environment": "lab"}), dataset()]),
        Case("all is logged", [production_store(), dataset({"project": "p"}), audit()]),
        Case(
            "all services are logged", [dataset(), audit({"service": "allServices"})], config=FORCED
        ),
        Case(
            "logged above the project",
            [
                dataset({"project": "p"}),
                resource(
                    "gcp:folder/iamAuditConfig:IamAuditConfig",
                    {"folder": "f", "service": "allServices", "auditLogConfigs": LOG_TYPES},
                ),
            ],
            config=FORCED,
        ),
        Case(
            "in parts",
            [dataset(), *(audit({"auditLogConfigs": [one]}) for one in LOG_TYPES)],
            config=FORCED,
        ),
        Case("still to come", [dataset(), audit({"auditLogConfigs": UNKNOWN})], config=FORCED),
        Case(
            "a type still to come",
            [dataset(), audit({"auditLogConfigs": [UNKNOWN]})],
            config=FORCED,
        ),
        Case(
            "a service still to come",
            [dataset(), audit({"service": UNKNOWN, "auditLogConfigs": LOG_TYPES[:1]})],
            config=FORCED,
        ),
        Case("no Healthcare data", [production_store(), bigquery_dataset()]),
        Case(
            "nothing is logged",
            [production_store(), dataset(), dataset(name="second")],
            [
                "ADMIN_READ, DATA_READ, DATA_WRITE of healthcare.googleapis.com not logged in its "
                f"project, {BY_LABEL}"
            ],
        ),
        Case(
            "reads are not logged",
            [dataset(), audit({"auditLogConfigs": LOG_TYPES[:1]})],
            [
                "DATA_READ, DATA_WRITE of healthcare.googleapis.com not logged in its project, "
                + BY_CONFIG
            ],
            FORCED,
        ),
        Case(
            "another project is logged",
            [dataset({"project": "q"}), audit()],
            [
                "ADMIN_READ, DATA_READ, DATA_WRITE of healthcare.googleapis.com not logged in its "
                f"project, {BY_CONFIG}"
            ],
            FORCED,
        ),
        Case(
            "another service is logged",
            [dataset(), audit({"service": "storage.googleapis.com"})],
            [
                "ADMIN_READ, DATA_READ, DATA_WRITE of healthcare.googleapis.com not logged in its "
                f"project, {BY_CONFIG}"
            ],
            FORCED,
        ),
        Case(
            "a member is exempt",
            [
                dataset(),
                audit(),
                audit(
                    {
                        "auditLogConfigs": [
                            {"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]}
                        ]
                    }
                ),
            ],
            [f"exemptedMembers keeps accesses out of the log, {BY_CONFIG}"],
            FORCED,
        ),
    ),
    "production-deletion-protection": (
        Case(
            "no production",
            [
                store({"environment": "lab"}),
                dataset(),
                bigquery_dataset({"deleteContentsOnDestroy": True}),
            ],
        ),
        Case(
            "protected by Pulumi",
            [production_store(), dataset(protect=True), bigquery_dataset(protect=True)],
        ),
        Case(
            "protected by the provider",
            [
                production_store(),
                dataset({"deletionPolicy": "PREVENT"}),
                bigquery_dataset({"deletionPolicy": "PREVENT", "deleteContentsOnDestroy": False}),
            ],
        ),
        Case(
            "protected by the provider's default",
            [production_store(), dataset(provider={"deletionPolicy": "PREVENT"})],
        ),
        Case("still to come", [production_store(), dataset({"deletionPolicy": UNKNOWN})]),
        Case(
            "the provider's default overruled",
            [dataset({"deletionPolicy": "DELETE"}, provider={"deletionPolicy": "PREVENT"})],
            [f"{NOT_PROTECTED}, {BY_CONFIG}"],
            FORCED,
        ),
        Case(
            "not protected",
            [production_store(), dataset(), bigquery_dataset({"deletionPolicy": "DELETE"})],
            [f"{NOT_PROTECTED}, {BY_LABEL}", f"{NOT_PROTECTED}, {BY_LABEL}"],
        ),
        Case(
            "emptied on the way",
            [bigquery_dataset({"deleteContentsOnDestroy": True}, protect=True)],
            [f"deleteContentsOnDestroy is true, {BY_CONFIG}"],
            FORCED,
        ),
    ),
    "production-no-lab-roles": (
        Case("no production", [grant("roles/bigquery.admin", AGENT)]),
        Case("another member", [production_store(), grant("roles/bigquery.admin")]),
        Case("a narrower role", [production_store(), grant("roles/bigquery.jobUser", AGENT)]),
        Case(
            "on a bucket only",
            [
                production_store(),
                resource(
                    "gcp:storage/bucketIAMMember:BucketIAMMember",
                    {"role": "roles/storage.objectAdmin", "member": AGENT},
                ),
            ],
        ),
        Case("an unknown member", [production_store(), grant("roles/bigquery.admin", UNKNOWN)]),
        Case(
            "another service's agent still to come",
            [
                production_store(),
                grant(
                    "roles/bigquery.admin",
                    UNKNOWN,
                    sources={
                        "member": [resource(IDENTITY_TYPE, {"service": "pubsub.googleapis.com"})]
                    },
                ),
            ],
        ),
        Case(
            "an unknown member, made with the Healthcare service",
            [
                production_store(),
                SERVICE,
                grant("roles/bigquery.admin", UNKNOWN, sources={"member": [SERVICE]}),
            ],
        ),
        Case(
            "a lab role",
            [production_store(), grant("roles/bigquery.admin", AGENT)],
            [f"role roles/bigquery.admin {ON_PROJECT}, {BY_LABEL}"],
        ),
        Case(
            "an agent still to come",
            [
                production_store(),
                IDENTITY,
                grant("roles/storage.objectAdmin", UNKNOWN, sources={"member": [IDENTITY]}),
            ],
            [f"role roles/storage.objectAdmin {ON_PROJECT}, {BY_LABEL}"],
        ),
        Case(
            "a binding",
            [
                resource(
                    "gcp:projects/iAMBinding:IAMBinding",
                    {
                        "role": "roles/healthcare.datasetAdmin",
                        "members": ["user:a@example.com", AGENT],
                    },
                )
            ],
            [f"role roles/healthcare.datasetAdmin {ON_PROJECT}, {BY_CONFIG}"],
            FORCED,
        ),
    ),
}
