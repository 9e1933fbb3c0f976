"""Roles by the IAM API: predefined ones are read; custom ones grant what they list."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.iam import conditions

ROLES = "/v1/projects/local-project/roles"
NAME = "projects/local-project/roles/reader"
READ = "healthcare.dicomStores.dicomWebRead"
ANNA = "user:anna@example.com"


@pytest.fixture
def role(client: TestClient) -> dict[str, Any]:
    body = {"roleId": "reader", "role": {"title": "Reader", "includedPermissions": [READ]}}
    answer = client.post(ROLES, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_predefined_roles_are_listed_and_read(client: TestClient) -> None:
    listed = client.get("/v1/roles?pageSize=1000").json()["roles"]
    assert "roles/healthcare.dicomViewer" in [each["name"] for each in listed]
    assert "includedPermissions" not in listed[0]
    viewer = client.get("/v1/roles/healthcare.dicomViewer").json()
    assert READ in viewer["includedPermissions"]
    assert client.get("/v1/roles/none.such").status_code == 404


def test_a_custom_role_grants_what_it_lists(
    client: TestClient, cloud: Cloud, role: dict[str, Any]
) -> None:
    policies, project = cloud.iam.policies, "projects/local-project"
    policies.set(project, {"bindings": [{"role": NAME, "members": [ANNA]}]})
    target = conditions.project(project)

    def may(permission: str) -> bool:
        return policies.allows([project], ANNA, permission, target)

    assert (may(READ), may("healthcare.dicomStores.dicomWebWrite")) == (True, False)
    client.delete(f"{ROLES}/reader").raise_for_status()
    assert not may(READ)
    assert client.post(f"{ROLES}/reader:undelete").json()["name"] == NAME
    assert may(READ)
    client.patch(f"{ROLES}/reader?updateMask=stage", json={"stage": "DISABLED"}).raise_for_status()
    assert not may(READ)


def test_a_custom_role_is_changed_listed_and_deleted(
    client: TestClient, role: dict[str, Any]
) -> None:
    assert role["name"] == NAME
    changed = client.patch(
        f"{ROLES}/reader?updateMask=title", json={"title": "Reads", "description": "x"}
    ).json()
    assert (changed["title"], changed.get("description")) == ("Reads", None)
    assert changed["etag"] != role["etag"]
    assert client.get(f"{ROLES}/reader").json() == changed
    [listed] = client.get(ROLES).json()["roles"]
    assert "includedPermissions" not in listed
    [full] = client.get(f"{ROLES}?view=FULL").json()["roles"]
    assert full["includedPermissions"] == [READ]
    assert client.delete(f"{ROLES}/reader").json()["deleted"] is True
    assert client.get(ROLES).json() == {}
    assert len(client.get(f"{ROLES}?showDeleted=true").json()["roles"]) == 1


@pytest.mark.parametrize(
    ("body", "code", "culprit"),
    [
        ({"roleId": "a"}, 400, "role id"),
        ({"roleId": "reader", "role": {}}, 409, "already exists"),
        ({"roleId": "other", "role": {"includedPermissions": ["all"]}}, 400, "Permission all"),
        ({"roleId": "other", "colour": "red"}, 400, "colour"),
    ],
)
def test_what_can_not_be_created_is_refused(
    client: TestClient, role: dict[str, Any], body: dict[str, Any], code: int, culprit: str
) -> None:
    answer = client.post(ROLES, json=body)
    assert (answer.status_code, culprit in answer.text) == (code, True)
    assert client.post(f"{ROLES}/reader:undelete").status_code == 400
    assert client.get(f"{ROLES}/none").status_code == 404
