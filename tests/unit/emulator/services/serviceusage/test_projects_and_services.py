"""Projects, their policies, their services."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.database import Database
from emulator.migrations import MIGRATIONS
from emulator.services.iam.models import Policies
from emulator.services.resourcemanager.models import Projects
from tests.support.emulator_names import AGENT, LOCATION, PROJECT

OWNER = {"role": "roles/owner", "members": ["user:you@example.com"]}


def error(answer: Any) -> dict[str, Any]:
    content: dict[str, Any] = answer.json()["error"]
    return content


def policy(client: TestClient) -> dict[str, Any]:
    content: dict[str, Any] = client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()
    return content


def test_any_project_exists_once_it_is_named(client: TestClient) -> None:
    first = client.get("/v1/projects/my-imaging-1").json()

    assert first["lifecycleState"] == "ACTIVE"
    assert first["projectNumber"].isdigit()
    assert len(first["projectNumber"]) == 12
    assert client.get(f"/v1/projects/{first['projectNumber']}").json() == first
    assert client.get("/v1/projects/local-project").json()["projectNumber"] == "123456789012"


def test_a_project_has_its_owner_before_another_request_finds_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite3", MIGRATIONS)
    policies = Policies(database)
    projects = Projects(database, policies)
    found: list[str] = []

    class Slow(Policies):
        def set(self, *arguments: Any) -> dict[str, Any]:
            found.extend(id_ for id_, _ in projects.page(None, 10))
            return super().set(*arguments)

    Projects(database, Slow(database)).get("my-imaging-1")
    assert found == []
    assert policies.get("projects/my-imaging-1")["bindings"] == [OWNER]
    assert [id_ for id_, _ in projects.page(None, 10)] == ["my-imaging-1"]
    database.close()


@pytest.mark.parametrize("project", ["A", "Upper-case", "ends-", "1starts", "x" * 31])
def test_what_is_no_project_id_is_refused(client: TestClient, project: str) -> None:
    answer = error(client.get(f"/v1/projects/{project}"))

    assert answer["code"] == 403
    assert project in answer["message"]


def test_a_policy_is_changed_by_read_modify_write(client: TestClient) -> None:
    before = policy(client)
    assert before["bindings"] == [OWNER]
    binding = {"role": "roles/storage.objectAdmin", "members": [f"serviceAccount:{AGENT}"]}
    changed = {**before, "bindings": [OWNER, binding]}

    after = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": changed}).json()

    assert after["bindings"] == [OWNER, binding]
    assert policy(client) == after
    assert after["etag"] != before["etag"]
    stale = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": before})
    assert error(stale)["code"] == 409
    assert error(stale)["status"] == "ABORTED"
    assert policy(client) == after


def test_a_condition_needs_version_3(client: TestClient) -> None:
    condition = {"title": "until 2030", "expression": 'request.time < timestamp("2030-01-01")'}
    role = "roles/storage.objectViewer"
    binding = {"role": role, "members": ["user:a@b.example"], "condition": condition}
    body = {"policy": {"version": 1, "bindings": [OWNER, binding]}}

    assert (
        "version must be 3"
        in error(client.post(f"/v1/{PROJECT}:setIamPolicy", json=body))["message"]
    )
    body["policy"]["version"] = 3
    basic = [{**binding, "role": "roles/viewer"}]
    refused = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": {"bindings": basic}})
    assert "basic roles" in error(refused)["message"]
    answer = client.post(f"/v1/{PROJECT}:setIamPolicy", json=body).json()
    assert answer["version"] == 3
    assert answer["bindings"] == [OWNER, binding]


@pytest.mark.parametrize(
    ("role", "member", "complaint"),
    [
        ("storage.admin", "user:a@b.example", "Role storage.admin is not supported"),
        ("roles/viewer", "a@b.example", "Invalid principal a@b.example"),
        ("roles/viewer", "AllUsers", "did you mean allUsers?"),
        ("roles/viewer", "user:noname", "Invalid principal user:noname"),
        (
            "roles/viewer",
            "serviceAccount:service-1@gcp-sa-healthcare.iam.gserviceaccount.com",
            "Service account service-1@gcp-sa-healthcare.iam.gserviceaccount.com does not exist.",
        ),
    ],
)
def test_a_bad_binding_changes_nothing(
    client: TestClient, role: str, member: str, complaint: str
) -> None:
    before = policy(client)
    bindings = [OWNER, {"role": role, "members": [member]}]

    answer = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": {"bindings": bindings}})

    assert error(answer)["code"] == 400
    assert complaint in error(answer)["message"]
    assert policy(client) == before


def test_an_etag_may_come_back_in_the_other_alphabet(client: TestClient) -> None:
    # gcloud decodes the bytes of an etag and writes them in the alphabet of addresses.
    seen = set()
    for number in range(200):
        before = policy(client)
        seen |= {sign for sign in "+/" if sign in before["etag"]}
        binding = {"role": "roles/viewer", "members": [f"user:a{number}@b.example"]}
        etag = before["etag"].replace("+", "-").replace("/", "_")
        body = {"policy": {"etag": etag, "bindings": [binding]}}
        assert client.post(f"/v1/{PROJECT}:setIamPolicy", json=body).status_code == 200
    assert seen == {"+", "/"}


@pytest.mark.parametrize(
    "policy",
    [
        {"etag": "no base64"},
        {"bindings": ["x"]},
        {"bindings": [None]},
        {"bindings": "x"},
        {"bindings": [{"role": "roles/viewer", "members": "user:a@b.example"}]},
        {"bindings": [{"role": "roles/viewer", "members": [7]}]},
        {"bindings": [{"role": "roles/viewer_withcond_abc", "members": ["user:a@b.example"]}]},
        {"version": 2},
        {"rules": []},
        "x",
        None,
    ],
)
def test_what_is_no_policy_is_the_clients_fault(client: TestClient, policy: Any) -> None:
    answer = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": policy})

    assert error(answer)["code"] == 400


def test_bindings_are_kept_once_and_without_empty_ones(client: TestClient) -> None:
    member, other = "user:a@b.example", "user:c@d.example"
    bindings = [
        {"role": "roles/viewer", "members": [member, member]},
        {"role": "roles/editor", "members": []},
        {"role": "roles/owner"},
        {"role": "roles/viewer", "members": [other]},
    ]

    answer = client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": {"bindings": bindings}})

    assert answer.json()["bindings"] == [{"role": "roles/viewer", "members": [member, other]}]


def test_only_the_masked_fields_of_a_policy_change(client: TestClient) -> None:
    url = f"/v1/{PROJECT}:setIamPolicy"
    audit = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
    given = {"policy": {"auditConfigs": audit}, "updateMask": "auditConfigs"}
    assert client.post(url, json=given).json()["bindings"] == [OWNER]

    after = client.post(url, json={"policy": {"bindings": []}}).json()

    assert after["auditConfigs"] == audit
    assert "bindings" not in after


def test_a_conditional_role_is_renamed_for_clients_of_old(client: TestClient) -> None:
    condition = {"title": "until 2030", "expression": "true"}
    role = "roles/storage.objectViewer"
    binding = {"role": role, "members": ["user:a@b.example"], "condition": condition}
    policy = {"version": 3, "bindings": [OWNER, binding]}
    client.post(f"/v1/{PROJECT}:setIamPolicy", json={"policy": policy}).raise_for_status()

    def read(version: int) -> Any:
        body = {"options": {"requestedPolicyVersion": version}}
        return client.post(f"/v1/{PROJECT}:getIamPolicy", json=body)

    assert read(3).json()["bindings"] == [OWNER, binding]
    old = read(1).json()["bindings"][1]
    assert old["role"].startswith(f"{role}_withcond_")
    assert "condition" not in old
    assert error(read(2))["code"] == 400


def test_the_service_agent_may_what_its_roles_allow(client: TestClient, cloud: Cloud) -> None:
    agent = cloud.healthcare.context.agent
    assert not agent.has("local-project", "storage.objects.list")
    binding = {"role": "roles/storage.objectViewer", "members": [f"serviceAccount:{AGENT}"]}
    cloud.iam.policies.set(PROJECT, {"bindings": [OWNER, binding]})

    assert agent.has("local-project", "storage.objects.list")
    assert not agent.has("local-project", "storage.objects.create")
    assert not agent.has("other-project", "storage.objects.list")


def test_a_disabled_service_refuses_and_says_how_to_enable_it(
    open_cloud: Callable[..., Cloud],
) -> None:
    with TestClient(create_app(open_cloud()), "http://127.0.0.1") as client:
        answer = error(client.get(f"/v1/{LOCATION}/datasets"))
        assert answer["code"] == 403
        assert "gcloud services enable healthcare.googleapis.com" in answer["message"]
        assert answer["details"][0]["reason"] == "SERVICE_DISABLED"

        enable = f"/v1/{PROJECT}/services/healthcare.googleapis.com:enable"
        operation = client.post(enable, json={}).json()
        assert operation["done"] is True
        assert operation["response"]["service"]["state"] == "ENABLED"
        assert client.get(f"/v1/{operation['name']}").json() == operation
        assert client.get(f"/v1/{LOCATION}/datasets").json() == {}

        disable = f"/v1/{PROJECT}/services/healthcare.googleapis.com:disable"
        client.post(disable, json={}).raise_for_status()
        assert error(client.get(f"/v1/{LOCATION}/datasets"))["code"] == 403


def test_all_services_may_count_as_enabled(open_cloud: Callable[..., Cloud]) -> None:
    app = create_app(open_cloud(all_services_enabled=True))
    with TestClient(app, "http://127.0.0.1") as client:
        assert client.get(f"/v1/{LOCATION}/datasets").json() == {}


def test_services_are_enabled_together_or_not_at_all(client: TestClient) -> None:
    body = {"serviceIds": ["bigquery.googleapis.com", "biquery.googleapis.com"]}

    answer = error(client.post(f"/v1/{PROJECT}/services:batchEnable", json=body))

    assert "biquery.googleapis.com. Did you mean bigquery.googleapis.com?" in answer["message"]
    listed = client.get(f"/v1/{PROJECT}/services?filter=state:ENABLED&pageSize=200").json()
    assert [one["config"]["name"] for one in listed["services"]] == [
        "cloudresourcemanager.googleapis.com",
        "healthcare.googleapis.com",
        "pubsub.googleapis.com",
        "serviceusage.googleapis.com",
    ]


@pytest.mark.parametrize("wanted", ["ENABLED", "state=ENABLED", "state:ON", "NOT state:ENABLED"])
def test_services_are_filtered_by_state_alone(client: TestClient, wanted: str) -> None:
    refused = error(client.get(f"/v1/{PROJECT}/services", params={"filter": wanted}))
    assert (refused["code"], refused["status"]) == (400, "INVALID_ARGUMENT")
    assert "the allowed filters are state:ENABLED and state:DISABLED" in refused["message"]


def test_a_list_comes_in_pages(client: TestClient) -> None:
    names, token = [], ""
    while True:
        page = client.get(f"/v1/{PROJECT}/services?pageSize=90&pageToken={token}").json()
        assert len(page["services"]) <= 90
        names += [one["name"] for one in page["services"]]
        token = page.get("nextPageToken")
        if not token:
            break

    assert len(names) == len(set(names)) > 300
    assert "projects/123456789012/services/healthcare.googleapis.com" in names


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_service_identity_comes_with_its_address(client: TestClient, version: str) -> None:
    url = f"/{version}/{PROJECT}/services/healthcare.googleapis.com:generateServiceIdentity"

    operation = client.post(url).json()

    assert operation["done"] is True
    assert operation["response"]["email"] == AGENT
    assert client.get(f"/{version}/{operation['name']}").json() == operation


def test_topics_are_created_changed_and_deleted(client: TestClient) -> None:
    url = f"/v1/{PROJECT}/topics/images"
    assert client.put(url, json={"labels": {"a": "b"}}).json() == {
        "labels": {"a": "b"},
        "name": f"{PROJECT}/topics/images",
    }
    assert error(client.put(url, json={}))["status"] == "ALREADY_EXISTS"
    patch = {"topic": {"labels": {"a": "c"}}, "updateMask": "labels"}
    assert client.patch(url, json=patch).json()["labels"] == {"a": "c"}
    assert [one["name"] for one in client.get(f"/v1/{PROJECT}/topics").json()["topics"]] == [
        f"{PROJECT}/topics/images"
    ]
    assert client.delete(url).json() == {}
    assert error(client.get(url))["message"] == "Resource not found (resource=images)."
    assert (
        "Invalid resource name" in error(client.put(f"/v1/{PROJECT}/topics/x", json={}))["message"]
    )
    assert "'topic.labels'" in error(client.put(url, json={"labels": "x"}))["message"]
    fixed = client.patch(url, json={"topic": {}, "updateMask": "name"})
    assert error(fixed)["message"] == "Invalid update_mask provided: name."


@pytest.mark.parametrize("operation", ["a.b", "x.WyJhIiwgImIiXQ==", "x.eyJhIjogMX0="])
def test_an_unknown_operation_is_not_found(client: TestClient, operation: str) -> None:
    assert error(client.get(f"/v1/operations/{operation}"))["code"] == 404
