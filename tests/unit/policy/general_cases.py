"""Cases that pass and cases that fail in every stack."""

import json
from collections.abc import Sequence
from typing import Any

from policy.model import UNKNOWN
from tests.unit.policy.builders import audit, bigquery_dataset, dataset, grant, resource, store
from tests.unit.policy.case import Case


def policy_data(role: str, member: str) -> dict[str, Any]:
    """An IAM policy as the provider takes it."""
    return {"policyData": json.dumps({"bindings": [{"role": role, "members": [member]}]})}


BUCKET = "gcp:storage/bucket:Bucket"
TOPIC = "gcp:pubsub/topic:Topic"

US = {"locations": ["us", "us-*"]}

GENERAL_CASES: dict[str, Sequence[Case]] = {
    "allowed-locations": (
        Case("any place where none is listed", [dataset({"location": "europe-west4"})]),
        Case("a listed region", [dataset()], config=US),
        Case(
            "a listed multi-region in capitals", [bigquery_dataset({"location": "US"})], config=US
        ),
        Case("a location still to come", [dataset({"location": UNKNOWN})], config=US),
        Case(
            "what is kept nowhere",
            [resource("gcp:iam/pool:Pool", {"location": "global"})],
            config=US,
        ),
        Case(
            "another provider's location", [resource("aws:s3/b:B", {"location": "eu-1"})], config=US
        ),
        Case("a zone", [resource("gcp:compute/disk:Disk", {"zone": "us-east1-b"})], config=US),
        Case("an own list", [dataset()], config={"locations": ["US-Central1"]}),
        Case(
            "another region",
            [dataset({"location": "europe-west4"})],
            ['location "europe-west4" is not allowed; allowed: us, us-*'],
            US,
        ),
        Case(
            "BigQuery's default",
            [resource("gcp:bigquery/dataset:Dataset")],
            ['location (none is given, so BigQuery takes) "US" is not allowed; allowed: eu'],
            {"locations": ["eu"]},
        ),
        Case(
            "a half of a dual-region bucket",
            [
                resource(
                    BUCKET,
                    {
                        "location": "US",
                        "customPlacementConfig": {"dataLocations": ["US-EAST1", "ASIA-EAST1"]},
                    },
                )
            ],
            ['customPlacementConfig.dataLocations "ASIA-EAST1" is not allowed; allowed: us, us-*'],
            US,
        ),
        Case(
            "a topic's storage",
            [
                resource(
                    TOPIC,
                    {
                        "messageStoragePolicy": {
                            "allowedPersistenceRegions": [UNKNOWN, "asia-east1"]
                        }
                    },
                )
            ],
            [
                'messageStoragePolicy.allowedPersistenceRegions "asia-east1" is not allowed; '
                "allowed: us, us-*"
            ],
            US,
        ),
        Case(
            "a zone's region",
            [resource("gcp:compute/disk:Disk", {"zone": "me-west1-a"})],
            ['zone "me-west1" is not allowed; allowed: us, us-*'],
            US,
        ),
    ),
    "one-location": (
        Case("one location", [dataset(), bigquery_dataset()]),
        Case(
            "one multi-region", [dataset({"location": "us"}), bigquery_dataset({"location": "US"})]
        ),
        Case(
            "BigQuery's default beside us",
            [dataset({"location": "us"}), resource("gcp:bigquery/dataset:Dataset")],
        ),
        Case("a location still to come", [dataset(), bigquery_dataset({"location": UNKNOWN})]),
        Case("the first one still to come", [dataset({"location": UNKNOWN}), bigquery_dataset()]),
        Case("no Healthcare data", [bigquery_dataset(), bigquery_dataset({"location": "EU"})]),
        Case(
            "a BigQuery dataset elsewhere",
            [bigquery_dataset({"location": "EU"}), dataset()],
            ['location "EU", but Healthcare dataset "healthcare" is in "us-central1"'],
        ),
        Case(
            "BigQuery's default elsewhere",
            [dataset(), bigquery_dataset({"location": None})],
            ['location "US", but Healthcare dataset "healthcare" is in "us-central1"'],
        ),
        Case(
            "a second Healthcare dataset elsewhere",
            [dataset(), dataset({"location": "us-east1"}, name="second")],
            ['location "us-east1", but Healthcare dataset "healthcare" is in "us-central1"'],
        ),
    ),
    "no-public-access": (
        Case("a person", [grant("roles/healthcare.dicomViewer")]),
        Case("a member still to come", [grant("roles/healthcare.dicomViewer", UNKNOWN)]),
        Case(
            "words in free text",
            [bigquery_dataset({"description": "allUsers", "labels": {"readers": "allusers"}})],
        ),
        Case(
            "taking access away",
            [
                resource(
                    "gcp:projects/iamMemberRemove:IamMemberRemove",
                    {"role": "roles/browser", "member": "allUsers"},
                )
            ],
        ),
        Case(
            "a private ACL",
            [resource("gcp:storage/bucketACL:BucketACL", {"predefinedAcl": "private"})],
        ),
        Case(
            "a member",
            [grant("roles/browser", "allUsers")],
            ['member "allUsers" gives access to everyone'],
        ),
        Case(
            "a bucket's binding, beside an unknown member",
            [
                resource(
                    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
                    {"members": [UNKNOWN, "allAuthenticatedUsers"]},
                )
            ],
            ['members[1] "allAuthenticatedUsers" gives access to everyone'],
        ),
        Case(
            "a store's policy",
            [
                resource(
                    "gcp:healthcare/dicomStoreIamPolicy:DicomStoreIamPolicy",
                    policy_data("roles/healthcare.dicomViewer", "allUsers"),
                )
            ],
            ['policyData.bindings[0].members[0] "allUsers" gives access to everyone'],
        ),
        Case(
            "a BigQuery dataset's access",
            [
                bigquery_dataset(
                    {
                        "access": [
                            {"role": "READER", "specialGroup": "allAuthenticatedUsers"},
                            {"role": "READER", "iamMember": "allUsers"},
                            {"role": "OWNER", "specialGroup": "projectOwners"},
                        ]
                    }
                )
            ],
            [
                'access[0].specialGroup "allAuthenticatedUsers" gives access to everyone',
                'access[1].iamMember "allUsers" gives access to everyone',
            ],
        ),
        Case(
            "a bucket's access list",
            [resource("gcp:storage/bucketACL:BucketACL", {"roleEntities": ["READER:allUsers"]})],
            ['roleEntities[0] "READER:allUsers" gives access to everyone'],
        ),
        Case(
            "a bucket's ready-made ACL",
            [resource("gcp:storage/bucketACL:BucketACL", {"predefinedAcl": "publicRead"})],
            ['predefinedAcl "publicRead" gives access to everyone'],
        ),
        Case(
            "services of Cloud Run",
            [
                resource("gcp:cloudrunv2/service:Service"),
                resource("gcp:cloudrunv2/service:Service", {"invokerIamDisabled": True}),
            ],
            ["invokerIamDisabled lets everyone call the service"],
        ),
    ),
    "no-primitive-roles": (
        Case("a predefined role", [grant("roles/healthcare.dicomViewer")]),
        Case("a role still to come", [grant(UNKNOWN)]),
        Case(
            "taking a role away",
            [
                resource(
                    "gcp:projects/iamMemberRemove:IamMemberRemove",
                    {"role": "roles/editor", "member": "user:a@b.c"},
                )
            ],
        ),
        Case("an own list", [grant("roles/viewer")], config={"roles": ["roles/owner"]}),
        Case("an older one", [grant("roles/editor")], ["role gives roles/editor"]),
        Case("a newer one", [grant("roles/reader")], ["role gives roles/reader"]),
        Case(
            "a policy",
            [
                resource(
                    "gcp:folder/iAMPolicy:IAMPolicy",
                    policy_data("roles/owner", "user:a@example.com"),
                )
            ],
            ["policyData.bindings[0].role gives roles/owner"],
        ),
        Case(
            "an own role",
            [grant("roles/iam.securityAdmin")],
            ["role gives roles/iam.securityAdmin"],
            {"roles": ["roles/iam.securityAdmin"]},
        ),
    ),
    "no-authoritative-project-iam": (
        Case("a member", [grant("roles/healthcare.dicomViewer")]),
        Case(
            "a binding on a store",
            [resource("gcp:healthcare/dicomStoreIamBinding:DicomStoreIamBinding")],
        ),
        Case("the Healthcare API's own audit config", [audit()]),
        Case("an audit config still to come", [audit({"service": UNKNOWN})]),
        Case(
            "an own service's audit config",
            [audit({"service": "storage.googleapis.com"})],
            config={"auditServices": ["storage.googleapis.com"]},
        ),
        Case(
            "a project's policy",
            [resource("gcp:projects/iAMPolicy:IAMPolicy")],
            ["IAMPolicy replaces what others have granted"],
        ),
        Case(
            "a project's binding",
            [resource("gcp:projects/iAMBinding:IAMBinding")],
            ["IAMBinding replaces what others have granted"],
        ),
        Case(
            "a folder's binding",
            [resource("gcp:folder/iAMBinding:IAMBinding")],
            ["IAMBinding replaces what others have granted"],
        ),
        Case(
            "an organisation's policy",
            [resource("gcp:organizations/iAMPolicy:IAMPolicy")],
            ["IAMPolicy replaces what others have granted"],
        ),
        Case(
            "the audit config of all services",
            [audit({"service": "allServices"})],
            ["IAMAuditConfig replaces what others log of allServices"],
        ),
        Case(
            "a folder's audit config",
            [resource("gcp:folder/iamAuditConfig:IamAuditConfig")],
            ["IamAuditConfig replaces what others log above the project"],
        ),
    ),
    "required-labels": (
        Case("the label", [store({"environment": "lab"})]),
        Case(
            "the label by the provider",
            [store(None, provider={"defaultLabels": '{"environment":"lab"}'})],
        ),
        Case("a value still to come", [store({"environment": UNKNOWN})]),
        Case("labels still to come", [store(UNKNOWN)]),
        Case("what carries none", [dataset()]),
        Case("none asked for", [store()], config={"labels": []}),
        Case(
            "no labels",
            [store(), bigquery_dataset(), resource("gcp:cloudrunv2/service:Service")],
            ["label environment missing"] * 3,
        ),
        Case("an empty label", [store({"environment": ""})], ["label environment missing"]),
        Case(
            "own labels",
            [store({"environment": "lab"})],
            ["labels owner, cost missing"],
            {"labels": ["owner", "environment", "cost"]},
        ),
    ),
}
