"""Buckets, their settings, and what the front passes on."""

import gzip
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.fake_storage import FakeStorage, error

BUCKETS = "/storage/v1/b"


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer.json().get("items", [])]


def test_the_settings_of_a_bucket_are_kept(client: TestClient) -> None:
    given = {
        "name": "bucket-1",
        "location": "europe-west1",
        "storageClass": "NEARLINE",
        "labels": {"env": "lab"},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        "website": None,
    }

    created = client.post(f"{BUCKETS}?project=local-project", json=given).json()

    assert client.get(f"{BUCKETS}/bucket-1").json() == created
    assert created["location"] == "EUROPE-WEST1"
    assert created["locationType"] == "region"
    assert created["storageClass"] == "NEARLINE"
    assert created["labels"] == {"env": "lab"}
    assert created["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "inherited",
    }
    assert created["projectNumber"] == "123456789012"
    assert created["selfLink"] == "http://127.0.0.1:1/storage/v1/b/bucket-1"
    assert "website" not in created


def test_a_patch_merges_and_a_put_replaces(client: TestClient, bucket: str) -> None:
    client.patch(bucket, json={"labels": {"a": "1", "b": "2"}, "storageClass": "COLDLINE"})

    patched = client.patch(f"{bucket}?fields=labels,metageneration", json={"labels": {"a": None}})
    assert patched.json() == {"labels": {"b": "2"}, "metageneration": "3"}

    put = client.put(bucket, json={"labels": {"c": "3"}}).json()
    assert (put["labels"], put["storageClass"]) == ({"c": "3"}, "STANDARD")
    stale = client.patch(f"{bucket}?ifMetagenerationMatch=3", json={"labels": {}})
    assert error(stale)[:2] == (412, "conditionNotMet")
    assert client.get(bucket).json()["labels"] == {"c": "3"}


def test_a_bucket_stays_where_it_is(client: TestClient) -> None:
    body = {"name": "bucket-1", "location": "eu"}
    client.post(f"{BUCKETS}?project=local-project", json=body)

    client.patch(f"{BUCKETS}/bucket-1", json={"location": "US"})
    client.put(f"{BUCKETS}/bucket-1", json={"location": "US"})

    read = client.get(f"{BUCKETS}/bucket-1").json()
    assert (read["location"], read["locationType"]) == ("EU", "multi-region")


def test_a_bucket_that_was_made_past_the_front_can_be_used(
    client: TestClient, fake: FakeStorage
) -> None:
    fake.buckets["direct"] = {}

    assert client.get(f"{BUCKETS}/direct").json()["location"] == "US-CENTRAL1"
    assert client.patch(f"{BUCKETS}/direct", json={"labels": {"a": "b"}}).status_code == 200
    assert client.get(f"{BUCKETS}/direct").json()["labels"] == {"a": "b"}
    assert names(client.get(f"{BUCKETS}?project=any-project")) == ["direct"]


def test_a_list_holds_the_projects_buckets(client: TestClient, bucket: str) -> None:
    client.post(f"{BUCKETS}?project=other-project", json={"name": "bucket-2"})

    assert names(client.get(f"{BUCKETS}?project=other-project")) == ["bucket-2"]
    assert names(client.get(f"{BUCKETS}?project=local-project")) == ["bucket-1"]
    assert client.get(f"{BUCKETS}?project=local-project&prefix=x").json() == {
        "kind": "storage#buckets"
    }


def test_a_deleted_bucket_leaves_nothing_behind(client: TestClient, bucket: str) -> None:
    client.patch(bucket, json={"labels": {"a": "b"}})
    given = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
    client.put(f"{bucket}/iam", json=given).raise_for_status()

    assert client.delete(bucket).status_code == 204

    assert error(client.get(bucket)) == (404, "notFound", "The specified bucket does not exist.")
    assert error(client.get(f"{bucket}/iam"))[0] == 404
    client.post(f"{BUCKETS}?project=local-project", json={"name": "bucket-1"})
    assert "labels" not in client.get(bucket).json()
    assert "allUsers" not in client.get(f"{bucket}/iam").text


def test_a_bucket_that_was_deleted_past_the_front_leaves_nothing_behind(
    client: TestClient, bucket: str, fake: FakeStorage
) -> None:
    client.patch(bucket, json={"labels": {"a": "b"}})
    del fake.buckets["bucket-1"]

    assert client.get(bucket).status_code == 404

    fake.buckets["bucket-1"] = {}
    assert "labels" not in client.get(bucket).json()


def test_what_is_refused(client: TestClient, bucket: str, fake: FakeStorage) -> None:
    url = f"{BUCKETS}?project=local-project"
    assert error(client.post(url, json={"name": "bucket-1"}))[:2] == (409, "conflict")
    assert error(client.post(url, json={}))[:2] == (400, "required")
    assert error(client.post(BUCKETS, json={"name": "x"})) == (
        400,
        "required",
        "Required parameter: project",
    )
    assert "label" in error(client.post(url, json={"name": "bucket-2", "label": {}}))[2]
    versioned = {"name": "bucket-2", "versioning": {"enabled": True}}
    assert error(client.post(url, json=versioned))[:2] == (501, "notImplemented")
    assert "bucket-2" not in fake.buckets
    fake.buckets["bucket-1"]["object"] = b""
    assert error(client.delete(bucket)) == (
        409,
        "conflict",
        "The bucket you tried to delete is not empty.",
    )
    fake.down = True
    assert error(client.get(bucket))[:2] == (503, "backendError")
    assert error(client.get(f"{bucket}/o"))[:2] == (503, "backendError")


@pytest.mark.parametrize(
    "path",
    [
        "/storage/v1/b/bucket-1/o/dicom%2Fa%20b%3F.dcm?alt=media&generation=1",
        "/storage/v1/b/bucket-1/o?prefix=a%2F&maxResults=2",
        "/download/storage/v1/b/bucket-1/o/x?alt=media",
        "/bucket-1/dicom/a.dcm",
    ],
)
def test_reads_are_passed_on_as_they_are(client: TestClient, fake: FakeStorage, path: str) -> None:
    answer = client.get(path, headers={"Range": "bytes=0-1", "Accept-Encoding": "gzip"})

    assert (answer.status_code, answer.content) == (200, b"content")
    sent = fake.requests[-1]
    assert sent.url.raw_path.decode() == path
    assert sent.headers["range"] == "bytes=0-1"
    assert sent.headers["accept-encoding"] == "gzip"
    assert "transfer-encoding" not in sent.headers


def test_the_root_may_be_left_out_as_nodes_library_does(
    client: TestClient, bucket: str, fake: FakeStorage
) -> None:
    assert client.get("/b/bucket-1").json() == client.get(bucket).json()
    assert client.get("/b?project=local-project").json()["items"][0]["name"] == "bucket-1"
    client.get("/b/bucket-1/o/b%2Fprojects?alt=media").raise_for_status()
    assert fake.requests[-1].url.raw_path == b"/storage/v1/b/bucket-1/o/b%2Fprojects?alt=media"


def test_what_nothing_serves_says_so(client: TestClient, bucket: str, fake: FakeStorage) -> None:
    asked = len(fake.requests)
    for path in (f"{bucket}/acl", f"{bucket}/o/a%2Fb/iam", "/b/bucket-1/notificationConfigs"):
        assert error(client.get(path))[:2] == (501, "notImplemented")
    assert len(fake.requests) == asked
    assert client.get(f"{bucket}/o/a%2Fiam").content == b"content"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/upload/storage/v1/b/bucket-1/o?uploadType=media&name=a%2Fb"),
        ("PUT", "/resumable/upload/storage/v1/b/bucket-1/o?upload_id=1"),
        ("POST", "/batch/storage/v1"),
        ("PUT", "/bucket-1/dicom/a.dcm"),
    ],
)
def test_writes_are_passed_on_as_they_are(
    client: TestClient, fake: FakeStorage, method: str, path: str
) -> None:
    content = bytes(range(256)) * 4096

    answer = client.request(method, path, content=content, headers={"Content-Type": "a/b"})

    assert answer.content == content
    sent = fake.requests[-1]
    assert (sent.method, sent.url.raw_path.decode()) == (method, path)
    assert sent.headers["content-type"] == "a/b"
    assert sent.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("path", ["/upload/storage/v1/b/bucket-1/o", "/bucket-1/a.gz"])
def test_compressed_objects_stay_compressed(
    client: TestClient, fake: FakeStorage, path: str
) -> None:
    content = gzip.compress(b"an object")
    client.post(path, content=content, headers={"Content-Encoding": "gzip"}).raise_for_status()
    assert fake.requests[-1].content == content
    assert fake.requests[-1].headers["content-encoding"] == "gzip"


def test_a_compressed_message_is_inflated_on_its_way(
    client: TestClient, bucket: str, fake: FakeStorage
) -> None:
    labels = gzip.compress(b'{"labels": {"team": "ward"}}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.patch(bucket, content=labels, headers=headers).json()["labels"]
    compose = f"{bucket}/o/a/compose"
    client.post(compose, content=gzip.compress(b'{"sourceObjects": []}'), headers=headers)
    assert fake.requests[-1].content == b'{"sourceObjects": []}'
    assert "content-encoding" not in fake.requests[-1].headers


def test_other_paths_are_no_objects(client: TestClient, fake: FakeStorage) -> None:
    for path in ("/v1/nothing/here", "/v1beta1/x", "/bigquery/v3/x", "/_emulator/x", "/ab/x"):
        assert client.get(path).status_code in {404, 501}
    assert fake.requests == []


@pytest.mark.parametrize(
    "key",
    ["access_token", "oauth_token", "key", "Signature", "X-Goog-Signature", "x-goog-credential"],
)
def test_no_token_of_an_address_is_passed_on_to_be_logged(
    client: TestClient, fake: FakeStorage, key: str
) -> None:
    answer = client.get(f"/storage/v1/b/bucket-1/o?prefix=a%2Fb+c&{key}=ya29.secret%3D&alt=json")
    assert answer.status_code == 200
    assert fake.requests[-1].url.raw_path == b"/storage/v1/b/bucket-1/o?prefix=a%2Fb+c&alt=json"


@pytest.mark.parametrize("name", ["a/b", "..", "a", "Capitals", "-a-", "a\nb", "x" * 300, "\0"])
def test_what_can_be_no_buckets_name_is_none(
    client: TestClient, fake: FakeStorage, name: str
) -> None:
    created = client.post(f"{BUCKETS}?project=local-project", json={"name": name})
    assert error(created)[:2] == (400, "invalid")
    assert fake.requests == []


def test_a_bucket_whose_name_is_none_is_not_there(client: TestClient, fake: FakeStorage) -> None:
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        asked = client.request(method, f"{BUCKETS}/CAPITALS", json={})
        assert error(asked)[:2] == (404, "notFound")
    for path in ("CAPITALS/o", "CAPITALS/o/a%2Fb", "a%00b/o"):
        assert error(client.get(f"{BUCKETS}/{path}"))[:2] == (404, "notFound")
    assert fake.requests == []
