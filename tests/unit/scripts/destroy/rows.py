"""Every row of the table: there, gone, and what can't be told."""

from dataclasses import dataclass
from typing import Any

import pytest

from scripts.adoption.kinds import KINDS
from scripts.common import leftovers
from scripts.common.errors import ScriptError
from scripts.common.leftovers import Made, Verdict
from tests.unit.scripts.adoption.services import DATASET, PROJECT
from tests.unit.scripts.removal.cloud import GET, Cloud, forbidden

ROLE, ANNA = "roles/viewer", "user:anna@example.org"
GRANT = {"role": ROLE, "member": ANNA}
POLICY = {"bindings": [{"role": ROLE, "members": [ANNA]}]}
AGENT = f"serviceAccount:service-1@gcp-sa-{'healthcare'}.iam.gserviceaccount.com"
TOPIC = f"projects/{PROJECT}/topics/t"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/s"
RING = f"projects/{PROJECT}/locations/l/keyRings/r"
KEY = f"{RING}/cryptoKeys/k"
BIGQUERY = f"projects/{PROJECT}/datasets/b"


@dataclass(frozen=True)
class Row:
    """A kind: a resource of it, and what the cloud holds when it is there."""

    id: str
    properties: dict[str, Any]
    found: dict[str, Any]


def _at(name: str, **properties: Any) -> Row:
    return Row(name, properties, {name: {"name": name}})


def _granted(resource: str, **properties: Any) -> Row:
    return Row(f"{resource} {ROLE} {ANNA}", {**GRANT, **properties}, {f"{resource}{GET}": POLICY})


SERVICE = f"projects/{PROJECT}/services/healthcare.googleapis.com"
ROWS: dict[str, Row] = {
    "gcp:projects/service:Service": Row(
        f"{PROJECT}/healthcare.googleapis.com",
        {"service": "healthcare.googleapis.com"},
        {SERVICE: {"state": "ENABLED"}},
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Row(
        SERVICE,
        {"service": "healthcare.googleapis.com"},
        {
            PROJECT: {"projectNumber": "1"},
            f"{PROJECT}{GET}": {"bindings": [{"role": ROLE, "members": [AGENT]}]},
        },
    ),
    "gcp:projects/iAMMember:IAMMember": _granted(PROJECT, project=PROJECT),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": Row(
        f"{PROJECT} healthcare.googleapis.com",
        {"service": "healthcare.googleapis.com"},
        {f"{PROJECT}{GET}": {"auditConfigs": [{"service": "healthcare.googleapis.com"}]}},
    ),
    "gcp:healthcare/dataset:Dataset": _at(DATASET),
    "gcp:healthcare/dicomStore:DicomStore": _at(f"{DATASET}/dicomStores/s"),
    "gcp:healthcare/fhirStore:FhirStore": _at(f"{DATASET}/fhirStores/s"),
    "gcp:healthcare/hl7Store:Hl7Store": _at(f"{DATASET}/hl7V2Stores/s"),
    "gcp:healthcare/consentStore:ConsentStore": _at(f"{DATASET}/consentStores/s"),
    "gcp:healthcare/datasetIamMember:DatasetIamMember": _granted(DATASET, datasetId=DATASET),
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": _granted(
        f"{DATASET}/dicomStores/s", dicomStoreId=f"{DATASET}/dicomStores/s"
    ),
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": _granted(
        f"{DATASET}/fhirStores/s", fhirStoreId=f"{DATASET}/fhirStores/s"
    ),
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": _granted(
        f"{DATASET}/hl7V2Stores/s", hl7V2StoreId=f"{DATASET}/hl7V2Stores/s"
    ),
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": _granted(
        f"{DATASET}/consentStores/s", dataset=DATASET, consentStoreId="s"
    ),
    "gcp:bigquery/dataset:Dataset": Row(BIGQUERY, {"datasetId": "b"}, {"bigquery": {}}),
    "gcp:bigquery/table:Table": Row(
        f"{BIGQUERY}/tables/t",
        {"datasetId": "b", "tableId": "t"},
        {"bigquery": {"t": "TABLE"}},
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": Row(
        f"{BIGQUERY} {ROLE} {ANNA}", {**GRANT, "datasetId": "b"}, {"bigquery": {}}
    ),
    "gcp:pubsub/topic:Topic": _at(TOPIC),
    "gcp:pubsub/subscription:Subscription": _at(SUBSCRIPTION),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _granted(TOPIC, topic=TOPIC),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _granted(
        SUBSCRIPTION, subscription=SUBSCRIPTION
    ),
    "gcp:kms/keyRing:KeyRing": _at(RING),
    "gcp:kms/cryptoKey:CryptoKey": Row(
        KEY,
        {},
        {KEY: {}, f"{KEY}/cryptoKeyVersions": {"cryptoKeyVersions": [{"state": "ENABLED"}]}},
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _granted(KEY, cryptoKeyId=KEY),
    "gcp:storage/bucket:Bucket": Row("bucket", {}, {"bucket": True}),
    "gcp:storage/bucketIAMMember:BucketIAMMember": Row(
        f"b/bucket {ROLE} {ANNA}", {**GRANT, "bucket": "b/bucket"}, {"bucket": True}
    ),
}


def _made(token: str, row: Row) -> Made:
    properties = {"name": row.id, "project": PROJECT, **row.properties}
    return Made.of(token, row.id, f"urn::{token}", properties, PROJECT)


def _fill(cloud: Cloud, row: Row) -> None:
    cloud.found = dict(row.found)
    if "bigquery" in row.found:
        cloud.tables[f"{PROJECT}.b"] = row.found["bigquery"]
        cloud.access[f"{PROJECT}.b"] = [{"role": ROLE, "userByEmail": "anna@example.org"}]
    if "bucket" in row.found:
        cloud.buckets["bucket"] = POLICY["bindings"]


def test_every_kind_is_tried_here() -> None:
    assert set(KINDS) <= set(ROWS)


@pytest.mark.parametrize("token", ROWS)
def test_what_the_cloud_has_is_still_there(token: str, cloud: Cloud) -> None:
    made = _made(token, ROWS[token])
    _fill(cloud, ROWS[token])
    assert leftovers.examine([made]) == [(made, Verdict.THERE)]


@pytest.mark.parametrize("token", ROWS)
def test_what_the_cloud_has_not_is_gone(token: str, cloud: Cloud) -> None:
    made = _made(token, ROWS[token])
    assert leftovers.examine([made]) == [(made, Verdict.GONE)]


@pytest.mark.parametrize(
    "token", [token for token, row in ROWS.items() if "role" in row.properties]
)
def test_a_grant_is_gone_though_others_have_the_role(token: str, cloud: Cloud) -> None:
    row = ROWS[token]
    made = _made(token, Row(row.id, {**row.properties, "member": "user:bert@example.org"}, {}))
    _fill(cloud, row)
    assert leftovers.examine([made]) == [(made, Verdict.GONE)]


def test_a_kind_without_a_row_is_not_checked(cloud: Cloud) -> None:
    made = Made.of("random:index/randomId:RandomId", "x", "urn", {"hex": "secret"}, "")
    assert leftovers.examine([made]) == [(made, Verdict.UNKNOWN)]
    assert made.values == {}
    assert made.kind == "RandomId"


def test_a_service_that_this_place_has_not_is_not_checked(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1beta1/")
    ring = _made("gcp:kms/keyRing:KeyRing", ROWS["gcp:kms/keyRing:KeyRing"])
    assert leftovers.examine([ring]) == [(ring, Verdict.UNKNOWN)]


def test_a_key_is_gone_with_its_last_version(cloud: Cloud) -> None:
    token = "gcp:kms/cryptoKey:CryptoKey"
    made = _made(token, ROWS[token])
    states = [{"state": "DESTROYED"}, {"state": "DESTROY_SCHEDULED"}]
    cloud.found = {KEY: {}, f"{KEY}/cryptoKeyVersions": {"cryptoKeyVersions": states}}
    assert leftovers.examine([made]) == [(made, Verdict.GONE)]


def test_what_lay_in_what_is_gone_is_not_asked_for(cloud: Cloud) -> None:
    tokens = [token for token in ROWS if token.startswith("gcp:healthcare/")]
    made = [_made(token, ROWS[token]) for token in reversed(tokens)]
    assert leftovers.examine(made) == [(thing, Verdict.GONE) for thing in made]
    assert [uri.partition("?")[0].rpartition("/v1/")[2] for _, uri, _ in cloud.asked] == [DATASET]


def test_a_bucket_of_the_name_of_the_project_takes_no_grant_along(cloud: Cloud) -> None:
    bucket = Made.of("gcp:storage/bucket:Bucket", PROJECT, "urn", {"name": PROJECT}, PROJECT)
    grant = _made("gcp:projects/iAMMember:IAMMember", ROWS["gcp:projects/iAMMember:IAMMember"])
    cloud.found = {f"{PROJECT}{GET}": POLICY}
    assert leftovers.examine([bucket, grant]) == [(bucket, Verdict.GONE), (grant, Verdict.THERE)]


def test_a_service_that_can_not_tell_is_an_error(cloud: Cloud) -> None:
    cloud.refused[DATASET] = forbidden("may not: datasets.get")
    with pytest.raises(ScriptError, match="may not"):
        leftovers.examine([_made("gcp:healthcare/dataset:Dataset", _at(DATASET))])


def test_what_is_remembered_is_what_was_made() -> None:
    condition = {"title": "by day", "expression": "true"}
    token = "gcp:projects/iAMMember:IAMMember"
    properties = {**GRANT, "project": PROJECT, "condition": condition, "etag": "x"}
    made = Made.of(token, f"{PROJECT} {ROLE} {ANNA}", "urn", properties, PROJECT)
    assert Made(**made.to_json()) == made
    assert "etag" not in made.values
    assert made.kind == "grant"
    assert made.name == f"{ROLE} for {ANNA} on {PROJECT}"
    assert made.shown() == {"kind": "grant", "name": made.name, "type": token}


def test_a_view_is_called_one() -> None:
    properties = {"datasetId": "b", "tableId": "v", "view": {"query": "SELECT 1"}}
    made = Made.of("gcp:bigquery/table:Table", f"{BIGQUERY}/tables/v", "urn", properties, PROJECT)
    assert made.kind == "BigQuery view"
    assert Made(**made.to_json()).kind == "BigQuery view"
