"""Policies with audit configuration, and with deleted members."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.emulator_names import PROJECT

HEALTHCARE = {
    "service": "healthcare.googleapis.com",
    "auditLogConfigs": [
        {"logType": "DATA_READ", "exemptedMembers": ["user:a@b.example"]},
        {"logType": "DATA_WRITE"},
    ],
}
EVERYTHING = {"service": "allServices", "auditLogConfigs": [{"logType": "ADMIN_READ"}]}
GONE = "deleted:serviceAccount:gone@local-project.iam.gserviceaccount.com?uid=123456789012345"


def read(client: TestClient) -> Any:
    return client.post(f"/v1/{PROJECT}:getIamPolicy", json={}).json()


def write(client: TestClient, policy: Any, mask: str | None = None) -> Any:
    body = {"policy": policy, **({"updateMask": mask} if mask else {})}
    return client.post(f"/v1/{PROJECT}:setIamPolicy", json=body)


def test_audit_configs_are_kept_and_shown(client: TestClient) -> None:
    before = read(client)
    configs = [HEALTHCARE, EVERYTHING]

    written = write(client, {**before, "auditConfigs": configs}, "bindings,etag,auditConfigs")

    assert written.json() == read(client)
    assert read(client)["auditConfigs"] == configs
    assert read(client)["bindings"] == before["bindings"]
    assert write(client, {**before, "auditConfigs": []}, "auditConfigs").status_code == 409


def test_without_a_mask_audit_configs_stay(client: TestClient) -> None:
    write(client, {"auditConfigs": [HEALTHCARE]}, "audit_configs").raise_for_status()

    binding = {"role": "roles/viewer", "members": ["user:a@b.example"]}
    write(client, {"bindings": [binding], "auditConfigs": [EVERYTHING]}).raise_for_status()

    assert read(client)["auditConfigs"] == [HEALTHCARE]
    assert read(client)["bindings"] == [binding]
    write(client, {"auditConfigs": []}, "auditConfigs").raise_for_status()
    assert "auditConfigs" not in read(client)
    assert read(client)["bindings"] == [binding]


def test_a_service_has_one_audit_config(client: TestClient) -> None:
    twice = [
        {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]},
        {
            "service": "allServices",
            "auditLogConfigs": [
                {"logType": "DATA_READ", "exemptedMembers": [GONE, GONE]},
                {"logType": "ADMIN_READ", "exemptedMembers": []},
            ],
        },
    ]

    write(client, {"auditConfigs": twice}, "auditConfigs").raise_for_status()

    assert read(client)["auditConfigs"] == [
        {
            "service": "allServices",
            "auditLogConfigs": [
                {"logType": "DATA_READ", "exemptedMembers": [GONE]},
                {"logType": "ADMIN_READ"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"auditLogConfigs": [{"logType": "DATA_READ"}]}, "needs a service"),
        ({"service": "allServices"}, "allServices needs auditLogConfigs"),
        ({"service": "allServices", "auditLogConfigs": [{}]}, "needs a logType"),
        ({"service": "allServices", "auditLogConfigs": [{"logType": "READ"}]}, '"READ"'),
        ({"service": "allServices", "logs": []}, 'Unknown name "logs"'),
        (
            {
                "service": "allServices",
                "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": ["me"]}],
            },
            "Invalid principal me",
        ),
        (None, "policy.audit_configs[0]"),
    ],
)
def test_bad_audit_configs_change_nothing(client: TestClient, config: Any, text: str) -> None:
    before = read(client)

    answer = write(client, {"auditConfigs": [config]}, "auditConfigs")

    assert answer.status_code == 400
    assert text in answer.json()["error"]["message"]
    assert read(client) == before


def test_topics_have_no_audit_configs(client: TestClient) -> None:
    topic = f"/v1/{PROJECT}/topics/events"
    client.put(topic, json={}).raise_for_status()
    for body in ({"policy": {"auditConfigs": [EVERYTHING]}}, {"policy": {}, "updateMask": "etag"}):
        refused = client.post(f"{topic}:setIamPolicy", json=body)
        unknown = "auditConfigs" if "auditConfigs" in body["policy"] else "updateMask"
        assert refused.status_code == 400
        assert f'Unknown name "{unknown}"' in refused.json()["error"]["message"]


def test_a_mask_names_fields_of_a_policy(client: TestClient) -> None:
    answer = write(client, {"bindings": []}, "bindings,rules")

    assert answer.status_code == 400
    assert "rules is not a field of a policy" in answer.json()["error"]["message"]


def test_deleted_members_are_listed_as_they_are(client: TestClient) -> None:
    bindings = [
        *read(client)["bindings"],
        {"role": "roles/viewer", "members": [GONE, "deleted:user:a@b.example?uid=1"]},
    ]

    write(client, {"bindings": bindings}).raise_for_status()

    assert read(client)["bindings"] == bindings
