"""Policies of buckets, and what they allow the Healthcare service agent."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.storage.public_bucket import BUCKETS
from tests.support.emulator_names import AGENT
from tests.support.fake_storage import FakeStorage, error

VIEWER = "roles/storage.objectViewer"
MEMBER = f"serviceAccount:{AGENT}"
GRANT = {"role": VIEWER, "members": [MEMBER]}


def bindings(client: TestClient, bucket: str) -> Any:
    policy = client.get(f"{bucket}/iam").json()
    return {one["role"]: one["members"] for one in policy["bindings"]}


def test_a_new_buckets_policy_is_the_projects(client: TestClient, bucket: str) -> None:
    policy = client.get(f"{bucket}/iam").json()

    assert policy["kind"] == "storage#policy"
    assert policy["resourceId"] == "projects/_/buckets/bucket-1"
    assert policy["version"] == 1
    owners = ["projectEditor:local-project", "projectOwner:local-project"]
    readers = ["projectViewer:local-project"]
    assert bindings(client, bucket) == {
        "roles/storage.legacyBucketOwner": owners,
        "roles/storage.legacyBucketReader": readers,
        "roles/storage.legacyObjectOwner": owners,
        "roles/storage.legacyObjectReader": readers,
    }


def test_a_policy_is_read_changed_and_written(client: TestClient, bucket: str) -> None:
    policy = client.get(f"{bucket}/iam").json()
    policy["bindings"].append(GRANT)

    written = client.put(f"{bucket}/iam", json=policy).json()

    assert written == client.get(f"{bucket}/iam").json()
    assert written["bindings"] == policy["bindings"]
    assert error(client.put(f"{bucket}/iam", json=policy))[:2] == (412, "conditionNotMet")
    emptied = client.put(f"{bucket}/iam", json={"bindings": []}).json()
    assert "bindings" not in emptied
    assert "bindings" not in client.get(f"{bucket}/iam").json()


def test_a_condition_is_shown_to_those_who_know_it(client: TestClient, bucket: str) -> None:
    condition = {"title": "some", "expression": "resource.name.startsWith('x')"}
    given = {"version": 3, "bindings": [{**GRANT, "condition": condition}]}
    client.put(f"{bucket}/iam", json=given).raise_for_status()

    full = client.get(f"{bucket}/iam?optionsRequestedPolicyVersion=3").json()

    assert full["version"] == 3
    assert full["bindings"] == given["bindings"]
    [role] = bindings(client, bucket)
    assert role.startswith(f"{VIEWER}_withcond_")


def test_deleted_members_are_listed_as_they_are(client: TestClient, bucket: str) -> None:
    gone = "deleted:serviceAccount:gone@local-project.iam.gserviceaccount.com?uid=123456789"
    given = {"bindings": [{"role": VIEWER, "members": [gone]}]}

    client.put(f"{bucket}/iam", json=given).raise_for_status()

    assert bindings(client, bucket) == {VIEWER: [gone]}


@pytest.mark.parametrize(
    ("binding", "text"),
    [
        ({"role": "storage.admin", "members": []}, "Role storage.admin is not supported"),
        ({"role": VIEWER, "members": ["me@example.com"]}, "Invalid principal me@example.com"),
        (
            {
                "role": VIEWER,
                "members": [
                    f"serviceAccount:{AGENT.replace('123456789012', '210987654321')}",
                ],
            },
            "does not exist",
        ),
    ],
)
def test_bad_policies(client: TestClient, bucket: str, binding: Any, text: str) -> None:
    code, reason, message = error(client.put(f"{bucket}/iam", json={"bindings": [binding]}))

    assert (code, reason) == (400, "invalid")
    assert text in message


def test_prevented_public_access(client: TestClient, bucket: str) -> None:
    client.patch(bucket, json={"iamConfiguration": {"publicAccessPrevention": "enforced"}})
    public = {"bindings": [{"role": VIEWER, "members": ["allUsers"]}]}

    assert error(client.put(f"{bucket}/iam", json=public))[0] == 412

    assert "allUsers" not in client.get(f"{bucket}/iam").text


def test_the_caller_may_everything(client: TestClient, bucket: str) -> None:
    url = f"{bucket}/iam/testPermissions"
    wanted = ["storage.objects.get", "storage.buckets.delete"]

    answer = client.get(url, params={"permissions": wanted}).json()

    assert answer["permissions"] == wanted
    assert error(client.get(url))[:2] == (400, "required")
    missing = client.get("/storage/v1/b/none/iam/testPermissions?permissions=a.b.c")
    assert error(missing)[:2] == (404, "notFound")


def agent_may(cloud: Cloud, bucket: str, verb: str = "get") -> bool:
    agent = cloud.healthcare.context.agent
    return agent.has_on_bucket("local-project", f"storage.objects.{verb}", bucket)


def test_a_grant_is_for_one_bucket(
    client: TestClient, cloud: Cloud, bucket: str, fake: FakeStorage
) -> None:
    fake.buckets["bucket-2"] = {}
    client.put(f"{bucket}/iam", json={"bindings": [GRANT]}).raise_for_status()

    assert agent_may(cloud, "bucket-1")
    assert agent_may(cloud, "bucket-1", "list")
    assert not agent_may(cloud, "bucket-1", "create")
    assert not agent_may(cloud, "bucket-2")


def test_a_projects_role_is_for_the_projects_buckets(
    client: TestClient, cloud: Cloud, bucket: str, fake: FakeStorage
) -> None:
    client.post("/storage/v1/b?project=other-project", json={"name": "bucket-2"})
    fake.buckets["direct"] = {}
    assert not agent_may(cloud, "bucket-1")

    cloud.iam.policies.set("projects/local-project", {"bindings": [GRANT]})

    assert agent_may(cloud, "bucket-1")
    assert agent_may(cloud, "direct")
    assert not agent_may(cloud, "bucket-2")


@pytest.mark.parametrize("everybody", ["allUsers", "allAuthenticatedUsers"])
def test_a_public_bucket_can_be_read(
    client: TestClient, cloud: Cloud, bucket: str, everybody: str
) -> None:
    public = {"bindings": [{"role": VIEWER, "members": [everybody]}]}
    client.put(f"{bucket}/iam", json=public).raise_for_status()

    assert agent_may(cloud, "bucket-1")
    assert not agent_may(cloud, "bucket-1", "delete")


@pytest.mark.parametrize("public", BUCKETS)
def test_the_labs_buckets_are_public_until_they_are_closed(
    client: TestClient, cloud: Cloud, fake: FakeStorage, public: str
) -> None:
    fake.buckets[public] = {}
    path = f"/storage/v1/b/{public}"
    assert bindings(client, path) == {VIEWER: ["allUsers"]}
    assert agent_may(cloud, public)
    assert agent_may(cloud, public, "list")
    assert not agent_may(cloud, public, "create")

    client.put(f"{path}/iam", json={"bindings": []})

    assert not agent_may(cloud, public)
