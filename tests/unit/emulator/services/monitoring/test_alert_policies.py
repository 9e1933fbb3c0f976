"""Alert policies and notification channels as resources."""

from typing import Any

import pytest
from starlette.testclient import TestClient

POLICIES = "/v3/projects/local-project/alertPolicies"
CHANNELS = "/v3/projects/local-project/notificationChannels"
CHANNEL = {"type": "email", "displayName": "Team", "labels": {"email_address": "a@example.com"}}
POLICY: dict[str, Any] = {
    "displayName": "Access",
    "combiner": "OR",
    "conditions": [
        {"displayName": "a line", "conditionMatchedLog": {"filter": "severity>=ERROR"}},
    ],
    "alertStrategy": {"notificationRateLimit": {"period": "300s"}},
}


def create(client: TestClient, url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(url, json=body)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_a_policy_gets_names_and_is_enabled(client: TestClient) -> None:
    channel = create(client, CHANNELS, CHANNEL)
    policy = create(client, POLICIES, {**POLICY, "notificationChannels": [channel["name"]]})
    assert policy["name"].startswith("projects/local-project/alertPolicies/")
    [condition] = policy["conditions"]
    assert condition["name"].startswith(f"{policy['name']}/conditions/")
    assert policy["enabled"] is True
    assert policy["creationRecord"]["mutatedBy"] == "you@example.com"
    assert client.get(f"/v3/{policy['name']}").json() == policy
    assert client.get(POLICIES).json() == {"alertPolicies": [policy]}


def test_an_update_changes_what_its_mask_names(client: TestClient) -> None:
    policy = create(client, POLICIES, POLICY)
    change = {"displayName": "Other", "enabled": False, "combiner": "AND"}
    url = f"/v3/{policy['name']}?updateMask=displayName,enabled"
    changed = client.patch(url, json=change).json()
    assert (changed["displayName"], changed["enabled"], changed["combiner"]) == (
        "Other",
        False,
        "OR",
    )
    assert changed["conditions"] == policy["conditions"]
    assert changed["creationRecord"] == policy["creationRecord"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"conditions": []}, "conditions"),
        ({"displayName": ""}, "display_name"),
        ({"alertStrategy": {}}, "notification_rate_limit"),
        ({"combiner": "XOR"}, "combiner"),
        ({"conditions": [{"displayName": "none"}]}, "exactly one"),
    ],
)
def test_invalid_policies(client: TestClient, change: dict[str, Any], text: str) -> None:
    answer = client.post(POLICIES, json={**POLICY, **change})
    assert answer.status_code == 400
    assert text in answer.json()["error"]["message"]


def test_a_channel_in_use_is_deleted_by_force_alone(client: TestClient) -> None:
    channel = create(client, CHANNELS, CHANNEL)
    policy = create(client, POLICIES, {**POLICY, "notificationChannels": [channel["name"]]})
    refused = client.delete(f"/v3/{channel['name']}")
    assert refused.status_code == 400
    assert policy["name"] in refused.json()["error"]["message"]
    client.delete(f"/v3/{channel['name']}?force=true").raise_for_status()
    assert client.get(f"/v3/{channel['name']}").status_code == 404
    assert client.get(f"/v3/{policy['name']}").json()["notificationChannels"] == []
    client.delete(f"/v3/{policy['name']}").raise_for_status()
    assert client.get(POLICIES).json() == {}


def test_an_e_mail_channel_needs_an_address(client: TestClient) -> None:
    answer = client.post(CHANNELS, json={**CHANNEL, "labels": {}})
    assert answer.status_code == 400
    assert "email_address" in answer.json()["error"]["message"]
