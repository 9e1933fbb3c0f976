"""The name, permission and log of calls, as Google's pages on audit logs have them."""

import pytest

from emulator.core.method_table import AuditedMethod
from emulator.services.method_tables import find

PUBLISHER, SUBSCRIBER = "google.pubsub.v1.Publisher", "google.pubsub.v1.Subscriber"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
SECRET, SECRETS = "projects/p/secrets/s", "google.cloud.secretmanager.v1.SecretManagerService"
REGISTRY = "google.devtools.artifactregistry.v1.ArtifactRegistry"
ACCOUNT = "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com"
IAP, PROXY = (
    "google.cloud.iap.v1.IdentityAwareProxyAdminService",
    "projects/p/iap_web/cloud_run-l/services/s",
)
BIGQUERY = "google.cloud.bigquery.v2"
D, T = "projects/p/datasets/d", "projects/p/datasets/d/tables/t"
CALLS = f"""
GET /v1/projects/p/topics | pubsub | {PUBLISHER}.ListTopics | topics.list | DATA_READ | projects/p
PUT /v1/projects/p/topics/t | pubsub | {PUBLISHER}.CreateTopic | topics.create | ADMIN_WRITE | \
projects/p/topics/t
GET /v1/projects/p/subscriptions/s | pubsub | {SUBSCRIBER}.GetSubscription | subscriptions.get | \
DATA_READ | projects/p/subscriptions/s
POST /v1/projects/p/topics/t:setIamPolicy | pubsub | google.iam.v1.IAMPolicy.SetIamPolicy | \
topics.setIamPolicy | ADMIN_WRITE | projects/p/topics/t
POST /v1/{PROXY}:getIamPolicy | iap | {IAP}.GetIamPolicy | webServices.getIamPolicy | \
ADMIN_READ | {PROXY}
POST /v1/{PROXY}:setIamPolicy | iap | {IAP}.SetIamPolicy | webServices.setIamPolicy | \
ADMIN_WRITE | {PROXY}
POST /v1/{KEY}:decrypt | cloudkms | Decrypt | cryptoKeyVersions.useToDecrypt | DATA_READ | {KEY}
POST /v1/{KEY}/cryptoKeyVersions/1:destroy | cloudkms | DestroyCryptoKeyVersion | \
cryptoKeyVersions.destroy | ADMIN_WRITE | {KEY}/cryptoKeyVersions/1
GET /v1/{SECRET}/versions/latest:access | secretmanager | {SECRETS}.AccessSecretVersion | \
versions.access | DATA_READ | {SECRET}/versions/latest
POST /v1/{SECRET}:addVersion | secretmanager | {SECRETS}.AddSecretVersion | versions.add | \
ADMIN_WRITE | {SECRET}
DELETE /v1/projects/p/locations/l/repositories/r | artifactregistry | \
{REGISTRY}.DeleteRepository | repositories.delete | ADMIN_WRITE | \
projects/p/locations/l/repositories/r
GET /v1/projects/p/locations/l/repositories/r/dockerImages | artifactregistry | \
{REGISTRY}.ListDockerImages | dockerimages.list | DATA_READ | projects/p/locations/l/repositories/r
POST /v1/projects/p:setIamPolicy | cloudresourcemanager | SetIamPolicy | projects.setIamPolicy | \
ADMIN_WRITE | projects/p
POST /v1/projects/p/services/s.googleapis.com:enable | serviceusage | \
google.api.serviceusage.v1.ServiceUsage.EnableService | services.enable | ADMIN_WRITE | \
projects/p/services/s.googleapis.com
POST /v1/projects/p/roles | iam | google.iam.admin.v1.CreateRole | roles.create | ADMIN_WRITE | \
projects/p
POST /v1/{ACCOUNT}/keys | iam | google.iam.admin.v1.CreateServiceAccountKey | \
serviceAccountKeys.create | ADMIN_WRITE | {ACCOUNT}
POST /v1/{ACCOUNT}:generateAccessToken | iamcredentials | GenerateAccessToken | \
serviceAccounts.getAccessToken | DATA_READ | {ACCOUNT}
DELETE /v2/projects/p/logs/a%2Fb | logging | google.logging.v2.LoggingServiceV2.DeleteLog | \
logs.delete | ADMIN_WRITE | projects/p/logs/a%2Fb
PUT /storage/v1/b/bb/iam | storage | storage.setIamPermissions | buckets.setIamPolicy | \
ADMIN_WRITE | projects/_/buckets/bb
GET /storage/v1/b/bb/o/a/b.dcm | storage | storage.objects.get | objects.get | DATA_READ | \
projects/_/buckets/bb/objects/a/b.dcm
GET /bb/a/b.dcm | storage | storage.objects.get | objects.get | DATA_READ | \
projects/_/buckets/bb/objects/a/b.dcm
GET /storage-archive/a | storage | storage.objects.get | objects.get | DATA_READ | \
projects/_/buckets/storage-archive/objects/a
PATCH /bigquery/v2/{D} | bigquery | {BIGQUERY}.DatasetService.PatchDataset | datasets.update | \
ADMIN_WRITE | {D}
GET /bigquery/v2/{T}/data | bigquery | {BIGQUERY}.TableDataService.List | tables.getData | \
DATA_READ | {T}
"""


def method_of(call: str) -> AuditedMethod:
    verb, path = call.split(" ")
    found = find(verb, path)
    assert found is not None
    return found


@pytest.mark.parametrize("line", CALLS.replace("\\\n", "").strip().splitlines())
def test_calls(line: str) -> None:
    call, service, name, permission, permission_type, resource = line.split(" | ")
    found = method_of(call)
    assert found.service == f"{service}.googleapis.com"
    assert found.name == name
    api = {
        "cloudresourcemanager": "resourcemanager",
        "iamcredentials": "iam",
    }.get(service, service)
    assert found.permission == f"{api}.{permission}"
    assert found.permission_type == permission_type
    assert found.named_resource({}) == resource
    is_activity = permission_type == "ADMIN_WRITE"
    assert found.log == ("activity" if is_activity else "data_access")
    assert found.is_always_logged == (is_activity or service == "bigquery")


@pytest.mark.parametrize(
    "call",
    [
        "POST /v1/projects/p/topics/t:publish",
        "POST /v1/projects/p/subscriptions/s:pull",
        "POST /bigquery/v2/projects/p/datasets/d/tables/t/insertAll",
        "GET /bigquery/v2/projects/p/datasets/d/tables/t",
        "PUT /upload/storage/v1/b/bb/o",
    ],
)
def test_calls_that_no_audit_log_has(call: str) -> None:
    found = method_of(call)
    assert found.name == ""


@pytest.mark.parametrize(
    ("call", "query", "answer", "resource"),
    [
        (
            "/v1/projects/p/locations/l/keyRings",
            {"keyRingId": "r"},
            {},
            KEY.partition("/crypto")[0],
        ),
        ("/bigquery/v2/projects/p/datasets", {}, {"datasetReference": {"datasetId": "d"}}, D),
        ("/bigquery/v2/projects/p/jobs", {}, {"jobReference": {"jobId": "j"}}, "projects/p/jobs/j"),
        ("/bigquery/v2/projects/p/jobs", {}, {}, "projects/p"),
        ("/storage/v1/b", {"project": "p"}, {"name": "bb"}, "projects/_/buckets/bb"),
        ("/upload/storage/v1/b/bb/o", {"name": "a/b"}, {}, "projects/_/buckets/bb/objects/a/b"),
        ("/upload/storage/v1/b/bb/o", {}, {}, "projects/_/buckets/bb"),
    ],
)
def test_what_is_created_is_named_by_the_query_or_the_answer(
    call: str, query: dict[str, str], answer: dict[str, object], resource: str
) -> None:
    found = find("POST", call, query)
    assert found is not None
    assert found.named_resource(answer) == resource


@pytest.mark.parametrize(
    ("call", "monitored"),
    [
        (
            "GET /v1/projects/p/topics/t",
            {"type": "pubsub_topic", "labels": {"project_id": "p", "topic_id": "t"}},
        ),
        (
            "GET /storage/v1/b/bb/o/a",
            {"type": "gcs_bucket", "labels": {"project_id": "p", "bucket_name": "bb"}},
        ),
        (
            f"GET /bigquery/v2/{T}/data",
            {"type": "bigquery_dataset", "labels": {"project_id": "p", "dataset_id": "d"}},
        ),
        (
            "GET /v1/projects/p/services",
            {
                "type": "audited_resource",
                "labels": {
                    "project_id": "p",
                    "service": "serviceusage.googleapis.com",
                    "method": "google.api.serviceusage.v1.ServiceUsage.ListServices",
                },
            },
        ),
    ],
)
def test_the_monitored_resource(call: str, monitored: dict[str, object]) -> None:
    found = method_of(call)
    assert found.monitored_resource(found.named_resource({}), "p") == monitored
