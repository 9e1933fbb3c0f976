"""BigQuery, Pub/Sub and Cloud Storage, and the access to resources of every service."""

from typing import Any

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.values import Values
from tests.support.fake_google import FakeGoogle, Reply, Request, error
from tests.support.plugin import Engine, RefusedError

BIGQUERY = "gcp:bigquery/dataset:Dataset"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
BUCKET = "gcp:storage/bucket:Bucket"
DATASET_PATH = "projects/local-project/datasets/dataset1"
DATASET: Values = {"datasetId": "dataset1", "location": "us-central1", "description": "DICOM"}
ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
GRANT = {"role": "roles/x.viewer", "member": "user:a@example.com"}
HEALTHCARE = "projects/p-1/locations/us-central1/datasets/d"
DiffKind = provider_pb2.PropertyDiff


def _changes(response: Any) -> dict[str, int]:
    return {path: diff.kind for path, diff in response.detailedDiff.items()}


def test_creates_a_bigquery_dataset(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(BIGQUERY, DATASET)

    post = google.requests[0]
    assert id_ == DATASET_PATH
    assert (post.path, post.query) == (
        "/bigquery/v2/projects/local-project/datasets",
        {"accessPolicyVersion": "3"},
    )
    assert post.body == {
        "datasetReference": {"datasetId": "dataset1", "projectId": "local-project"},
        "location": "us-central1",
        "description": "DICOM",
        "labels": ATTRIBUTION,
    }
    assert outputs["creationTime"] == 1700000000000
    [access] = outputs["accesses"]
    assert {name: value for name, value in access.items() if value} == {
        "role": "OWNER",
        "specialGroup": "projectOwners",
    }
    assert outputs["deleteContentsOnDestroy"] is False
    assert outputs["etag"] == "1"
    assert not _changes(engine.diff(BIGQUERY, id_, outputs, DATASET))


def test_a_bigquery_dataset_is_put_as_a_whole(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(BIGQUERY, DATASET)
    news = {**DATASET, "description": "X-rays", "defaultTableExpirationMs": 3_600_000}

    response = engine.diff(BIGQUERY, id_, state, news)
    outputs = engine.update(BIGQUERY, id_, state, news)

    assert _changes(response) == {
        "description": DiffKind.UPDATE,
        "defaultTableExpirationMs": DiffKind.ADD,
    }
    (put,) = google.calls("PUT")
    assert (put.path, put.query) == (f"/bigquery/v2/{DATASET_PATH}", {"accessPolicyVersion": "3"})
    assert put.body is not None
    assert put.body["description"] == "X-rays"
    assert put.body["access"] == [{"role": "OWNER", "specialGroup": "projectOwners"}]
    assert (outputs["etag"], outputs["defaultTableExpirationMs"]) == ("2", 3_600_000)


@pytest.mark.parametrize("contents", [True, False])
def test_contents_go_when_the_program_says_so(
    engine: Engine, google: FakeGoogle, contents: bool
) -> None:
    id_, state = engine.create(BIGQUERY, {**DATASET, "deleteContentsOnDestroy": contents})

    engine.delete(BIGQUERY, id_, state)

    (delete,) = google.calls("DELETE")
    assert delete.query == {"deleteContents": "true" if contents else "false"}


def test_a_bigquery_location_has_no_case_and_replaces(engine: Engine) -> None:
    id_, state = engine.create(BIGQUERY, {"datasetId": "dataset1"})

    assert not _changes(
        engine.diff(BIGQUERY, id_, state, {"datasetId": "dataset1", "location": "us"})
    )
    response = engine.diff(BIGQUERY, id_, state, {"datasetId": "dataset1", "location": "EU"})
    assert list(response.replaces) == ["location"]
    assert response.deleteBeforeReplace is True


def test_access_entries_have_no_order(engine: Engine) -> None:
    entries = [
        {"role": "READER", "specialGroup": "projectReaders"},
        {"role": "OWNER", "userByEmail": "a@example.com"},
    ]
    id_, state = engine.create(BIGQUERY, {**DATASET, "accesses": entries})

    response = engine.diff(BIGQUERY, id_, state, {**DATASET, "accesses": entries[::-1]})

    assert not _changes(response)


@pytest.mark.parametrize("given", [DATASET_PATH, "local-project/dataset1", "dataset1"])
def test_imports_a_bigquery_dataset(engine: Engine, given: str) -> None:
    id_, _ = engine.create(BIGQUERY, DATASET)

    found, state, inputs = engine.read(BIGQUERY, given)

    assert found == id_
    assert inputs["description"] == "DICOM"
    assert not _changes(engine.diff(BIGQUERY, id_, state, DATASET))


def test_creates_and_changes_a_topic(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(TOPIC, {"name": "topic1"})

    put = google.requests[0]
    assert id_ == "projects/local-project/topics/topic1"
    assert (put.method, put.path) == ("PUT", f"/v1/{id_}")
    assert put.body == {"name": id_, "labels": ATTRIBUTION}
    assert state["name"] == "topic1"
    state = engine.update(TOPIC, id_, state, {"name": "topic1", "messageRetentionDuration": "600s"})
    (patch,) = google.calls("PATCH")
    assert patch.query == {}
    assert patch.body == {
        "topic": {"messageRetentionDuration": "600s", "labels": ATTRIBUTION},
        "updateMask": "messageRetentionDuration",
    }
    assert state["messageRetentionDuration"] == "600s"
    assert list(engine.diff(TOPIC, id_, state, {"name": "topic2"}).replaces) == ["name"]


@pytest.mark.parametrize("topic", ["topic1", "projects/local-project/topics/topic1"])
def test_a_subscription_takes_a_topic_by_either_name(
    engine: Engine, google: FakeGoogle, topic: str
) -> None:
    news = {"name": "sub1", "topic": topic}
    id_, state = engine.create(SUBSCRIPTION, news)

    assert id_ == "projects/local-project/subscriptions/sub1"
    assert google.resources[id_]["topic"] == "projects/local-project/topics/topic1"
    assert google.resources[id_]["messageRetentionDuration"] == "604800s"
    assert not _changes(engine.diff(SUBSCRIPTION, id_, state, news))


def test_creates_and_changes_a_bucket(engine: Engine, google: FakeGoogle) -> None:
    news: Values = {"name": "bucket-1", "location": "US", "uniformBucketLevelAccess": True}
    id_, state = engine.create(BUCKET, {**news, "labels": {"env": "lab"}})

    post = google.requests[0]
    assert id_ == "bucket-1"
    assert (post.path, post.query) == ("/storage/v1/b", {"project": "local-project"})
    assert post.body == {
        "name": "bucket-1",
        "location": "US",
        "storageClass": "STANDARD",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        "labels": {"env": "lab", **ATTRIBUTION},
    }
    assert (state["url"], state["projectNumber"]) == ("gs://bucket-1", 123456789012)
    assert state["uniformBucketLevelAccess"] is True
    engine.update(BUCKET, id_, state, {**news, "uniformBucketLevelAccess": False})
    (patch,) = google.calls("PATCH")
    assert patch.body == {
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}},
        "labels": {"env": None, **ATTRIBUTION},
    }


def test_a_bucket_with_objects_goes_only_by_force(engine: Engine, google: FakeGoogle) -> None:
    news = {"name": "bucket-1", "location": "US"}
    id_, state = engine.create(BUCKET, news)
    google.resources["b/bucket-1/o/dicom/a.dcm"] = {}

    with pytest.raises(RefusedError) as refused:
        engine.delete(BUCKET, id_, state)
    state = engine.update(BUCKET, id_, state, {**news, "forceDestroy": True})
    engine.delete(BUCKET, id_, state)

    assert 'without "forceDestroy" set to true: set it' in refused.value.text
    assert google.resources == {}


@pytest.mark.parametrize(
    ("type_", "key", "value", "name", "prefix"),
    [
        ("healthcare/datasetIamMember:DatasetIamMember", "datasetId", "p-1/us-central1/d",
         HEALTHCARE, "v1"),
        ("healthcare/datasetIamMember:DatasetIamMember", "datasetId", "us-central1/d",
         HEALTHCARE.replace("p-1", "local-project"), "v1"),
        ("healthcare/dicomStoreIamMember:DicomStoreIamMember", "dicomStoreId",
         f"{HEALTHCARE}/dicomStores/s", f"{HEALTHCARE}/dicomStores/s", "v1"),
        ("healthcare/fhirStoreIamMember:FhirStoreIamMember", "fhirStoreId",
         "p-1/us-central1/d/s", f"{HEALTHCARE}/fhirStores/s", "v1"),
        ("healthcare/hl7StoreIamMember:Hl7StoreIamMember", "hl7V2StoreId",
         "p-1/us-central1/d/s", f"{HEALTHCARE}/hl7V2Stores/s", "v1"),
        ("pubsub/topicIAMMember:TopicIAMMember", "topic", "t",
         "projects/local-project/topics/t", "v1"),
        ("pubsub/subscriptionIAMMember:SubscriptionIAMMember", "subscription", "s",
         "projects/local-project/subscriptions/s", "v1"),
    ],
)  # fmt: skip
def test_grants_on_a_resource(
    engine: Engine, google: FakeGoogle, type_: str, key: str, value: str, name: str, prefix: str
) -> None:
    token = f"gcp:{type_}"
    google.policies[name] = {"etag": "1", "bindings": [{"role": "r", "members": ["user:b@c.d"]}]}

    id_, state = engine.create(token, {key: value, **GRANT})

    get, write = google.requests[:2]
    assert (get.method, get.path) == ("GET", f"/{prefix}/{name}:getIamPolicy")
    assert get.query == {}  # observed: the provider does not ask for conditions here
    assert (write.method, write.path) == ("POST", f"/{prefix}/{name}:setIamPolicy")
    assert write.body is not None
    assert list(write.body) == ["policy"]
    assert id_ == f"{name}/roles/x.viewer/user:a@example.com"
    assert state[key] == (name if key == "topic" else value)
    assert engine.read(token, id_, state)[0] == id_
    engine.delete(token, id_, state)
    assert len(google.policies[name]["bindings"]) == 1


def test_a_grant_on_a_name_that_is_none_says_what_would_do(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.create(
            "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember",
            {"dicomStoreId": "dicomstore1", **GRANT},
        )

    assert refused.value.text.startswith(
        'dicomStoreId "dicomstore1" does not name a resource: it has to look like '
        "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{store} or "
        "{project}/{location}/{dataset}/{store} or {location}/{dataset}/{store}"
    )


def test_a_grant_of_a_resource_that_is_gone_is_gone(engine: Engine, google: FakeGoogle) -> None:
    from tests.support.fake_google import error

    token = "gcp:healthcare/datasetIamMember:DatasetIamMember"
    id_, state = engine.create(token, {"datasetId": "p-1/us-central1/d", **GRANT})
    google.faults.append(lambda request: error(404, "not found", "NOT_FOUND"))

    assert engine.read(token, id_, state)[0] == ""
    engine.delete(token, id_, state)


def test_grants_on_a_bigquery_dataset_are_access_entries(
    engine: Engine, google: FakeGoogle
) -> None:
    engine.create(BIGQUERY, DATASET)
    token = "gcp:bigquery/datasetIamMember:DatasetIamMember"
    grant = {
        "role": "roles/bigquery.dataEditor",
        "member": "serviceAccount:a@x.gserviceaccount.com",
    }

    id_, state = engine.create(token, {"datasetId": "dataset1", **grant})

    access = google.resources[DATASET_PATH]["access"]
    assert {"role": "WRITER", "userByEmail": "a@x.gserviceaccount.com"} in access
    assert {"role": "OWNER", "specialGroup": "projectOwners"} in access
    assert id_ == f"{DATASET_PATH}/{grant['role']}/{grant['member']}"
    engine.delete(token, id_, state)
    assert len(google.resources[DATASET_PATH]["access"]) == 1


def test_an_adopted_grant_on_a_bigquery_dataset_names_it_shortly(engine: Engine) -> None:
    engine.create(BIGQUERY, DATASET)
    token = "gcp:bigquery/datasetIamMember:DatasetIamMember"
    grant = {"role": "roles/bigquery.dataViewer", "member": "user:a@b.c"}
    created, _ = engine.create(token, {"datasetId": "dataset1", **grant})

    id_, state, _ = engine.read(token, f"{DATASET_PATH} {grant['role']} {grant['member']}")

    assert id_ == created
    assert state["datasetId"] == "dataset1"


def test_grants_on_a_bucket(engine: Engine, google: FakeGoogle) -> None:
    token = "gcp:storage/bucketIAMMember:BucketIAMMember"

    id_, state = engine.create(token, {"bucket": "bucket-1", **GRANT})

    get, put = google.requests[:2]
    assert (get.path, get.query) == (
        "/storage/v1/b/bucket-1/iam",
        {"optionsRequestedPolicyVersion": "3"},
    )
    assert (put.method, put.path) == ("PUT", "/storage/v1/b/bucket-1/iam")
    assert id_ == "b/bucket-1/roles/x.viewer/user:a@example.com"
    assert engine.read(token, f"b/bucket-1 {GRANT['role']} {GRANT['member']}")[0] == id_
    engine.delete(token, id_, state)
    assert google.policies["b/bucket-1"]["bindings"] == []


def test_a_conflict_on_a_bucket_starts_again(engine: Engine, google: FakeGoogle) -> None:
    conflicts = [error(412, "a pre-condition did not hold", "FAILED_PRECONDITION")]

    def conflict(request: Request) -> Reply | None:
        return conflicts.pop() if conflicts and request.method == "PUT" else None

    google.faults.append(conflict)

    engine.create("gcp:storage/bucketIAMMember:BucketIAMMember", {"bucket": "bucket-1", **GRANT})

    assert len(google.calls("PUT")) == 2
