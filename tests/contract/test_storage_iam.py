"""Policies of buckets on the real emulator, by Google's own clients; and who they let in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.import_export import Lab, refused

pytestmark = pytest.mark.sockets

PUBLIC = "gcs-public-data--healthcare-nih-chest-xray"
ONE = "dicom/00000088_000.dcm"
VIEWER = "roles/storage.objectViewer"
ADMIN = "roles/storage.objectAdmin"


@pytest.fixture
def client(emulator: ServerInfo, project: str) -> storage.Client:
    """Google's client in a fresh project; it finds the emulator by its environment."""
    assert emulator.url
    return storage.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]


@pytest.fixture
def api(emulator: ServerInfo) -> Any:
    """Cloud Storage by google-api-python-client, with its bundled discovery document."""
    return build(
        "storage",
        "v1",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": f"{emulator.url}/storage/v1/"},
        static_discovery=True,
    )


@pytest.fixture
def lab(emulator: ServerInfo, project: str) -> Lab:
    """A lab whose service agent has no role at all."""
    return Lab(emulator, project)


@pytest.fixture
def let_in(client: storage.Client, service_agent: str) -> Callable[[str, str], None]:
    """A function that grants the service agent a role on one bucket."""

    def let_in(bucket: str, role: str) -> None:
        policy = client.bucket(bucket).get_iam_policy(requested_policy_version=3)
        policy.bindings.append({"role": role, "members": {service_agent}})
        client.bucket(bucket).set_iam_policy(policy)

    return let_in


def filled(client: storage.Client, name: str) -> str:
    """A bucket with one of the lab's images in it."""
    image = client.bucket(PUBLIC).blob(ONE).download_as_bytes()
    bucket = client.create_bucket(f"{client.project}-{name}")
    bucket.blob("image.dcm").upload_from_string(image, content_type="application/dicom")
    return str(bucket.name)


def test_a_policy_by_googles_client(client: storage.Client, service_agent: str) -> None:
    bucket = client.create_bucket(f"{client.project}-policy")
    first = bucket.get_iam_policy(requested_policy_version=3)
    owners = {f"projectEditor:{client.project}", f"projectOwner:{client.project}"}
    assert {one["role"]: one["members"] for one in first.bindings}[
        "roles/storage.legacyBucketOwner"
    ] == owners
    first.bindings.append({"role": VIEWER, "members": {service_agent}})

    written = bucket.set_iam_policy(first)

    again = bucket.get_iam_policy(requested_policy_version=3)
    assert again.bindings[-1] == {"role": VIEWER, "members": {service_agent}}
    assert again.etag == written.etag != first.etag
    with pytest.raises(PreconditionFailed):
        bucket.set_iam_policy(first)
    wanted = ["storage.objects.get", "storage.objects.delete"]
    assert bucket.test_iam_permissions(wanted) == wanted


def test_a_policy_by_the_api_client(api: Any, project: str, service_agent: str) -> None:
    name = f"{project}-api"
    api.buckets().insert(project=project, body={"name": name, "location": "EU"}).execute()
    policy = api.buckets().getIamPolicy(bucket=name).execute()
    policy["bindings"].append({"role": VIEWER, "members": [service_agent]})

    api.buckets().setIamPolicy(bucket=name, body=policy).execute()

    read = api.buckets().getIamPolicy(bucket=name, optionsRequestedPolicyVersion=3).execute()
    assert read["resourceId"] == f"projects/_/buckets/{name}"
    assert read["bindings"] == policy["bindings"]
    asked = api.buckets().testIamPermissions(bucket=name, permissions="storage.objects.get")
    assert asked.execute()["permissions"] == ["storage.objects.get"]
    with pytest.raises(HttpError) as stale:
        api.buckets().setIamPolicy(bucket=name, body=policy).execute()
    assert stale.value.status_code == 412
    with pytest.raises(HttpError) as missing:
        api.buckets().getIamPolicy(bucket=f"{name}-none").execute()
    assert json.loads(missing.value.content)["error"]["errors"][0]["reason"] == "notFound"
    api.buckets().delete(bucket=name).execute()
    listed = api.buckets().list(project=project).execute().get("items", [])
    assert name not in [one["name"] for one in listed]


def test_a_bucket_lives_and_dies(client: storage.Client) -> None:
    bucket = client.bucket(f"{client.project}-bucket")
    bucket.labels = {"env": "lab"}
    bucket.storage_class = "NEARLINE"
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    client.create_bucket(bucket, location="europe-west4")

    found = client.get_bucket(bucket.name)

    assert found.labels == {"env": "lab"}
    assert (found.location, found.storage_class) == ("EUROPE-WEST4", "NEARLINE")
    assert found.iam_configuration.uniform_bucket_level_access_enabled
    found.labels = {"env": "test"}
    found.patch(if_metageneration_match=found.metageneration)
    assert client.get_bucket(bucket.name).labels == {"env": "test"}
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)
    found.blob("a").upload_from_string("a")
    with pytest.raises(Conflict):
        found.delete()
    found.delete(force=True)
    with pytest.raises(NotFound):
        client.get_bucket(bucket.name)


@pytest.mark.parametrize("size", [0, 1, 300_000, 9 * 1024 * 1024 + 1])
def test_objects_pass_whole(client: storage.Client, size: int) -> None:
    """Small uploads are multipart, those over 8 MiB resumable."""
    bucket = client.create_bucket(f"{client.project}-{size}")
    content = bytes(range(251)) * (size // 251 + 1)
    name = "folder/some name é +%?&.bin"

    bucket.blob(name).upload_from_string(content[:size], content_type="application/x-some")

    blob = bucket.get_blob(name)
    assert blob is not None
    assert (blob.size, blob.content_type) == (size, "application/x-some")
    assert blob.download_as_bytes() == content[:size]  # checked against its MD5 or CRC32C
    assert [one.name for one in client.list_blobs(bucket, prefix="folder/some name")] == [name]
    if size > 1000:
        assert blob.download_as_bytes(start=10, end=19) == content[10:20]
    copied = bucket.copy_blob(blob, bucket, "copy é")
    assert copied.download_as_bytes() == content[:size]


def test_media_by_the_api_client(api: Any, client: storage.Client) -> None:
    content = bytes(range(256)) * 2048
    bucket = client.create_bucket(f"{client.project}-media")
    bucket.blob("a/b").upload_from_string(content)

    assert api.objects().get_media(bucket=bucket.name, object="a/b").execute() == content

    api.objects().delete(bucket=bucket.name, object="a/b").execute()
    assert not bucket.blob("a/b").exists()


def test_objects_at_the_paths_of_the_xml_api(emulator: ServerInfo, client: storage.Client) -> None:
    bucket = client.create_bucket(f"{client.project}-xml")
    bucket.blob("a/b c").upload_from_string("content")

    assert http.get(f"{emulator.url}/{bucket.name}/a/b%20c").text == "content"
    assert http.head(f"{emulator.url}/{bucket.name}/a/b%20c").headers["content-length"] == "7"


def test_a_bucket_that_was_made_past_the_front(
    emulator: ServerInfo, client: storage.Client
) -> None:
    direct = f"http://127.0.0.1:{emulator.ports.storage}/storage/v1/b"
    name = f"{client.project}-direct"
    http.post(direct, params={"project": "x"}, json={"name": name}).raise_for_status()

    bucket = client.get_bucket(name)

    bucket.blob("a").upload_from_string("a")
    assert name in [one.name for one in client.list_buckets()]
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": VIEWER, "members": {"allUsers"}})
    bucket.set_iam_policy(policy)
    assert bucket.get_iam_policy(requested_policy_version=3).bindings == policy.bindings


def test_an_import_needs_only_the_bucket_it_reads(
    lab: Lab, client: storage.Client, let_in: Callable[[str, str], None]
) -> None:
    granted, other = filled(client, "granted"), filled(client, "other")
    let_in(granted, VIEWER)

    done = lab.import_(f"gs://{granted}/*.dcm")

    assert done["metadata"]["counter"] == {"success": "1"}
    assert lab.count() == 1
    code, message = refused(lambda: lab.begin_import(f"gs://{other}/*.dcm"))
    assert code == 403
    assert "@gcp-sa-healthcare.iam.gserviceaccount.com" in message
    assert f"storage.objects.list access to the Google Cloud Storage bucket {other}" in message


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ('request.time < timestamp("2020-01-01T00:00:00Z")', 403),
        ('resource.name.endsWith("/objects/other") || !resource.type.endsWith("Object")', 403),
        ('resource.name.startsWith("projects/_/buckets/")', 200),
    ],
)
def test_a_conditional_role_counts_while_its_condition_holds(
    lab: Lab, client: storage.Client, service_agent: str, expression: str, code: int
) -> None:
    bucket = client.bucket(filled(client, "conditional"))
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.version = 3
    condition = {"title": "while it holds", "expression": expression}
    binding = {"role": VIEWER, "members": {service_agent}, "condition": condition}
    policy.bindings.append(binding)
    bucket.set_iam_policy(policy)

    uri = f"gs://{bucket.name}/*.dcm"
    if code == 200:
        assert lab.import_(uri)["metadata"]["counter"] == {"success": "1"}
    else:
        assert refused(lambda: lab.begin_import(uri))[0] == code


def test_an_import_from_a_public_bucket_needs_no_role(lab: Lab, client: storage.Client) -> None:
    assert lab.import_(f"gs://{PUBLIC}/{ONE}")["metadata"]["counter"] == {"success": "1"}

    bucket = client.bucket(PUBLIC)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    assert policy.bindings == [{"role": VIEWER, "members": {"allUsers"}}]
    closed = bucket.get_iam_policy(requested_policy_version=3)
    closed.bindings = []
    closed = bucket.set_iam_policy(closed)
    try:
        assert refused(lambda: lab.begin_import(f"gs://{PUBLIC}/{ONE}"))[0] == 403
    finally:
        closed.bindings = policy.bindings
        bucket.set_iam_policy(closed)
    assert "error" not in lab.import_(f"gs://{PUBLIC}/{ONE}")


def test_an_export_needs_only_the_bucket_it_writes(
    lab: Lab, client: storage.Client, let_in: Callable[[str, str], None]
) -> None:
    lab.import_(f"gs://{PUBLIC}/{ONE}")
    for name in ("granted", "readable", "other"):
        client.create_bucket(f"{lab.project}-{name}")
    let_in(f"{lab.project}-granted", ADMIN)
    let_in(f"{lab.project}-readable", VIEWER)

    def export(bucket: str) -> dict[str, Any]:
        body = {"gcsDestination": {"uriPrefix": f"gs://{lab.project}-{bucket}"}}
        return lab.wait(lab.stores.export(name=lab.store, body=body).execute()["name"])

    assert export("granted")["metadata"]["counter"] == {"success": "1"}
    assert export("granted")["metadata"]["counter"] == {"success": "1"}  # over what is there
    assert len(list(client.list_blobs(f"{lab.project}-granted"))) == 1
    for closed in ("readable", "other"):
        code, message = refused(lambda closed=closed: export(closed))  # type: ignore[misc]
        assert code == 403
        assert "storage.objects.create access to the Google Cloud Storage bucket" in message
        assert f"{lab.project}-{closed}" in message


def test_a_deleted_member_is_listed_as_it_is(client: storage.Client) -> None:
    gone = "deleted:serviceAccount:gone@contract-1.iam.gserviceaccount.com?uid=123456789012345"
    bucket = client.create_bucket(f"{client.project}-deleted")
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": VIEWER, "members": {gone}})

    bucket.set_iam_policy(policy)

    found = bucket.get_iam_policy(requested_policy_version=3)
    assert found.bindings[-1] == {"role": VIEWER, "members": {gone}}
