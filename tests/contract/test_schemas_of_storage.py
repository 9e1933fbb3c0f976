"""Every answer of Cloud Storage is of its discovery document's schema, or listed with a reason.

Buckets and their policies are the front's. What fake-gcs-server answers of objects is passed on as
it is: each of its deviations is listed, and one that goes must leave the list.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from emulator.api_coverage import offline_cloud
from emulator.server.server_file import ServerInfo
from emulator.services.storage.public_bucket import BUCKET as PUBLIC
from emulator.services.storage.routes import routes
from tests.support import http, schema_walk, schemas
from tests.support.schema_walk import Walk

pytestmark = pytest.mark.sockets

PROJECT = "schemas-storage"
BUCKET, PLAIN = "schemas-storage-full", "schemas-storage-plain"
SLASHES = "2026/a report/iam"
"""An object whose name ends as the path of a method does."""
with offline_cloud() as _cloud:
    _own = [one for one in routes(_cloud.storage) if "{path:path}" not in one.path]
OWN = schema_walk.served("storage", "v1", _own)

PASSED_ON: Mapping[str, Mapping[str, str]] = {
    "objectAccessControls.list": {
        "ObjectAccessControls.kind: None is not ...": "clients read the entries alone"
    },
    "objects.compose": {},
    "objects.copy": {},
    "objects.delete": {},
    "objects.get": {},
    "objects.insert": {},
    "objects.list": {},
    "objects.patch": {},
    "objects.rewrite": {},
    "objects.update": {},
}
"""Methods that fake-gcs-server answers -> how its answers deviate -> why that may stay."""
UNSERVED = sorted(schemas.methods("storage", "v1").keys() - {*OWN} - PASSED_ON.keys())


def walk_buckets(walk: Walk) -> None:
    rule = {"action": {"type": "Delete"}, "condition": {"age": 30}}
    body = {
        "name": BUCKET,
        "location": "EU",
        "storageClass": "NEARLINE",
        "labels": {"team": "imaging"},
        "lifecycle": {"rule": [rule]},
        "cors": [{"origin": ["*"], "method": ["GET"], "maxAgeSeconds": 60}],
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        "softDeletePolicy": {"retentionDurationSeconds": "604800"},
        "retentionPolicy": {"retentionPeriod": "100"},
        "website": {"mainPageSuffix": "index.html"},
        "logging": {"logBucket": PLAIN},
        "autoclass": {"enabled": True},
        "billing": {"requesterPays": True},
        "encryption": {"defaultKmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
        "hierarchicalNamespace": {"enabled": True},
        "rpo": "DEFAULT",
    }
    project = {"project": PROJECT}
    created = walk("buckets.insert", body=body, params=project).json()
    assert set(body) <= set(created)
    walk("buckets.insert", body={"name": PLAIN}, params=project)
    assert walk("buckets.get", BUCKET).json() == created
    for name in (PLAIN, PUBLIC):
        walk("buckets.get", name, params={"projection": "full"})
    listed = walk("buckets.list", params=project).json()["items"]
    assert {BUCKET, PLAIN} <= {one["name"] for one in listed}
    walk("buckets.list", params={**project, "prefix": "nothing"})
    walk("buckets.patch", BUCKET, body={"labels": {"team": "ward"}, "lifecycle": None})
    walk("buckets.update", BUCKET, body=body)
    layout = walk("buckets.getStorageLayout", BUCKET).json()
    assert layout["hierarchicalNamespace"] == {"enabled": True}
    walk("buckets.getStorageLayout", PLAIN)
    walk("managedFolders.list", BUCKET)
    assert walk.send("managedFolders.list", PLAIN).status_code == 412


def walk_policies(walk: Walk) -> None:
    condition = {"title": "for a while", "expression": "request.time < timestamp('2100')"}
    members = ["user:reader@example.org"]
    binding = {"role": "roles/storage.objectViewer", "members": members, "condition": condition}
    walk("buckets.getIamPolicy", BUCKET)
    given = walk("buckets.setIamPolicy", BUCKET, body={"version": 3, "bindings": [binding]}).json()
    asked = {"optionsRequestedPolicyVersion": "3"}
    assert walk("buckets.getIamPolicy", BUCKET, params=asked).json() == given
    walk("buckets.getIamPolicy", BUCKET)
    walk("buckets.testIamPermissions", BUCKET, params={"permissions": "storage.objects.get"})


def walk_objects(walk: Walk) -> None:
    sent = {"content": b"of a patient", "headers": {"Content-Type": "text/plain"}}
    media = {"uploadType": "media", "name": SLASHES}
    walk("objects.insert", PLAIN, upload=True, params=media, **sent)
    about = {
        "name": "about",
        "contentType": "text/plain",
        "cacheControl": "no-store",
        "customTime": "2026-01-01T00:00:00Z",
        "metadata": {"team": "imaging"},
    }
    parts = (("application/json", json.dumps(about)), ("text/plain", "hello"))
    content = "".join(
        f"--b\r\nContent-Type: {content_type}\r\n\r\n{text}\r\n" for content_type, text in parts
    )
    walk(
        "objects.insert",
        PLAIN,
        upload=True,
        params={"uploadType": "multipart"},
        content=f"{content}--b--\r\n".encode(),
        headers={"Content-Type": "multipart/related; boundary=b"},
    )
    assert walk("objects.get", PLAIN, SLASHES).json()["size"] == "12"
    assert walk("objects.get", PLAIN, "about", params={"projection": "full"}).json()["acl"]
    for asked in ({}, {"delimiter": "/"}, {"maxResults": "1"}, {"prefix": "nothing"}):
        walk("objects.list", PLAIN, params=asked)
    walk("objects.list", PUBLIC, params={"maxResults": "2"})
    change = {"metadata": {"team": "ward", "site": "north"}}
    patched = walk("objects.patch", PLAIN, "about", body=change, params={"fields": "*"}).json()
    assert patched["metadata"] == change["metadata"]
    assert walk("objects.get", PLAIN, "about").json()["metadata"] == change["metadata"]
    updated = walk("objects.update", PLAIN, "about", body={"metadata": {"site": "south"}}).json()
    assert updated["metadata"]["site"] == "south"
    walk("objects.copy", PLAIN, "about", PLAIN, "copied", body={})
    walk("objects.rewrite", PLAIN, "about", PLAIN, "rewritten", body={})
    sources = {"sourceObjects": [{"name": "copied"}, {"name": "rewritten"}]}
    composed = walk("objects.compose", PLAIN, "composed", body={**sources, "destination": {}})
    assert composed.json()["size"] == "10"
    walk("objectAccessControls.list", PLAIN, "about")
    for name in (SLASHES, "about", "copied", "rewritten", "composed"):
        walk("objects.delete", PLAIN, name)


@pytest.fixture(scope="module")
def walk(emulator: ServerInfo) -> Walk:
    """The walk through everything, with its end."""
    schema_walk.begin(emulator.url, PROJECT, "storage")
    walk = Walk(emulator.url, "storage", "v1", PROJECT, {"projectId": PROJECT})
    walk_buckets(walk)
    walk_policies(walk)
    walk_objects(walk)
    for name in (BUCKET, PLAIN):
        walk("buckets.delete", name)
    return walk


@pytest.mark.parametrize("method", [*OWN, *PASSED_ON])
def test_answers_are_of_the_schema(walk: Walk, method: str) -> None:
    assert walk.answers[method], f"{method} is served, but no walk calls it: add it to one"
    faults = {re.sub(r"'[^']*'", "...", fault) for fault in walk.faults(method)}
    assert faults == PASSED_ON.get(method, {}).keys()


@pytest.mark.parametrize("method", OWN)
def test_the_front_says_something(walk: Walk, method: str) -> None:
    assert walk.says_something(method)


@pytest.mark.parametrize("method", UNSERVED)
def test_what_is_not_served_says_so(walk: Walk, method: str) -> None:
    placeholders = re.findall(r"\{(?!projectId\})\w+\}", walk.methods[method]["path"])
    answer = walk.send(method, *("x" for _ in placeholders))
    assert answer.status_code == 501
    error = answer.json()["error"]
    assert error["message"].startswith(f"storage.{method} is not served")
    assert error["errors"][0]["reason"] == "notImplemented"


def test_a_name_that_ends_as_a_method_does_is_an_object(emulator: ServerInfo) -> None:
    project = {"project": PROJECT}
    api = f"{emulator.url}/storage/v1/b"
    http.post(api, json={"name": "schemas-names"}, params=project).raise_for_status()
    for name in ("a/iam", "acl/b", "notificationConfigs", "c/rewriteTo/b/d/o/e"):
        upload = f"{emulator.url}/upload/storage/v1/b/schemas-names/o"
        media = {"uploadType": "media", "name": name}
        http.post(upload, params=media, content=name.encode()).raise_for_status()
        read = http.get(f"{api}/schemas-names/o/{quote(name, safe='')}", params={"alt": "media"})
        assert read.text == name
