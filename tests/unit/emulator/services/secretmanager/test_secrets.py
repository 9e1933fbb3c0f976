"""Secrets: settings, etags, expiry, lists, policies."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.iam import callers
from tests.support.secrets import AUTOMATIC, SecretsApi

NAME = "projects/123456789012/secrets/tls"


def reason(answer: Any) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["message"])


def test_a_secret_is_named_by_the_number_of_its_project(api: SecretsApi) -> None:
    created = api.create(labels={"team": "imaging"}, annotations={"owner.id": "a"}).json()
    assert created["name"] == NAME
    assert created["replication"] == {"automatic": {}}
    assert (created["labels"], created["annotations"]) == ({"team": "imaging"}, {"owner.id": "a"})
    assert created["createTime"].endswith("Z")
    assert created["etag"].startswith('"')
    assert api.get().json() == created
    again = api.create()
    assert again.status_code == 409
    assert again.json()["error"]["message"] == f"Secret [{NAME}] already exists."


def test_a_missing_secret_is_named(api: SecretsApi) -> None:
    for answer in (api.get(), api.patch("labels"), api.delete(), api.add(b"x")):
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"Secret [{NAME}] not found."


def test_a_project_that_has_not_enabled_the_api(client: TestClient) -> None:
    answer = client.get("/v1/projects/local-project/secrets")
    assert answer.status_code == 403
    assert "Secret Manager API has not been used" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"replication": None}, "replication is required"),
        ({"replication": {}}, "replication is required"),
        ({"replication": {"userManaged": {"replicas": []}}}, "one or more"),
        (
            {"replication": {"userManaged": {"replicas": [{"location": "a"}, {"location": "a"}]}}},
            "another location",
        ),
        ({"labels": {"Team": "x"}}, "invalid label key 'Team'"),
        ({"annotations": {"-": "x"}}, "annotation '-'"),
        ({"annotations": {"a": "x" * 16384}}, "less than 16384"),
        ({"versionAliases": {"latest": "1"}}, "not 'latest'"),
        ({"versionAliases": {"a": "x"}}, "Invalid value"),
        ({"versionAliases": {f"a{n}": "1" for n in range(51)}}, "at most 50"),
        ({"topics": [{"name": "t"}]}, "projects/PROJECT/topics/TOPIC"),
        ({"topics": [{"name": "projects/p/topics/t"}] * 11}, "at most 10"),
        ({"rotation": {"nextRotationTime": "2090-01-01T00:00:00Z"}}, "needs topics"),
        (
            {"topics": [{"name": "projects/p/topics/t"}], "rotation": {"rotationPeriod": "3600s"}},
            "needs next_rotation_time",
        ),
        (
            {
                "topics": [{"name": "projects/p/topics/t"}],
                "rotation": {"nextRotationTime": "2020-01-01T00:00:00Z"},
            },
            "300s to",
        ),
        ({"ttl": "1h"}, "not a valid duration"),
        ({"ttl": "60s", "expireTime": "2090-01-01T00:00:00Z"}, "only one"),
        ({"expireTime": "2020-01-01T00:00:00Z"}, "past"),
        ({"expireTime": "tomorrow"}, "a timestamp such as"),
        ({"versionDestroyTtl": "60s"}, "86400s to"),
        ({"customerManagedEncryption": {"kmsKeyName": "k"}}, "is for regional secrets"),
        ({"colour": "red"}, "Unknown name"),
    ],
)
def test_settings_that_are_refused(api: SecretsApi, body: Any, message: str) -> None:
    assert message in reason(api.create(**body))
    assert api.get().status_code == 404


def test_a_typed_secret_is_not_served(api: SecretsApi) -> None:
    assert api.create(secretType="CERTIFICATE").status_code == 501
    assert api.get().status_code == 404


@pytest.mark.parametrize("id_", ["", "a.b", "x" * 256])
def test_ids_that_are_refused(api: SecretsApi, id_: str) -> None:
    assert "The provided Secret ID" in reason(api.create(id_))


def test_a_patch_changes_what_the_mask_names(api: SecretsApi) -> None:
    created = api.create(labels={"a": "1"}, annotations={"b": "2"}).json()
    changed = api.patch("labels", labels={"a": "3"}).json()
    assert (changed["labels"], changed["annotations"]) == ({"a": "3"}, {"b": "2"})
    assert changed["etag"] != created["etag"]
    assert changed["createTime"] == created["createTime"]
    assert api.get().json() == changed
    assert "labels" not in api.patch("labels").json()


@pytest.mark.parametrize(
    ("mask", "body", "message"),
    [
        ("", {}, "must be set"),
        ("name", {}, "name can't be changed"),
        ("replication", {"replication": {"userManaged": {"replicas": []}}}, "can't be changed"),
        ("labels", {"labels": {"A": ""}}, "invalid label"),
    ],
)
def test_patches_that_are_refused(api: SecretsApi, mask: str, body: Any, message: str) -> None:
    created = api.create().json()
    assert message in reason(api.patch(mask, **body))
    assert api.get().json() == created


def test_a_change_with_another_etag_is_refused(api: SecretsApi) -> None:
    first = api.create().json()["etag"]
    api.patch("labels", labels={"a": "1"}, etag=first).raise_for_status()
    assert "does not match" in reason(api.patch("labels", labels={}, etag=first))
    assert "does not match" in reason(api.delete(etag=first))
    assert api.get().json()["labels"] == {"a": "1"}
    api.delete(etag=api.get().json()["etag"]).raise_for_status()
    assert api.get().status_code == 404


def test_a_ttl_becomes_a_time_at_which_the_secret_goes(
    api: SecretsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = api.create(ttl="3600s").json()
    assert "ttl" not in created
    api.add(b"x").raise_for_status()
    expires = datetime.fromisoformat(created["expireTime"]).timestamp()
    assert expires == pytest.approx(time.time() + 3600, abs=60)
    monkeypatch.setattr(time, "time", lambda: expires - 1)
    assert api.content() == b"x"
    monkeypatch.setattr(time, "time", lambda: expires + 1)
    assert api.get().status_code == 404
    assert api.get("tls/versions/1:access").status_code == 404
    assert api.get("").json() == {}
    api.create().raise_for_status()


def test_the_expiry_is_changed_and_removed(api: SecretsApi) -> None:
    api.create(ttl="3600s").raise_for_status()
    later = "2090-01-31T12:00:00Z"
    assert api.patch("expireTime", expireTime=later).json()["expireTime"] == later
    assert api.patch("labels", labels={"a": ""}).json()["expireTime"] == later
    changed = api.patch("ttl", ttl="60s").json()["expireTime"]
    assert datetime.fromisoformat(changed) < datetime.fromisoformat(later)
    assert "expireTime" not in api.patch("expireTime").json()


def test_lists_begin_with_the_newest(api: SecretsApi) -> None:
    for id_ in ("a", "b", "c"):
        api.create(id_, labels={"id": id_}).raise_for_status()
    page = api.get("", pageSize="2").json()
    assert [one["labels"]["id"] for one in page["secrets"]] == ["c", "b"]
    assert page["totalSize"] == 3
    rest = api.get("", pageSize="2", pageToken=page["nextPageToken"]).json()
    assert [one["labels"]["id"] for one in rest["secrets"]] == ["a"]
    assert "nextPageToken" not in rest


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("name:blue", ["dark-blue", "blue"]),
        ("name:blue AND NOT name:dark", ["blue"]),
        ("labels.team=ct OR name:red", ["red", "blue"]),
        ("labels:team", ["blue"]),
        (
            'create_time > "2020-01-01T00:00:00Z" AND createTime<2090-01-01',
            ["red", "dark-blue", "blue"],
        ),
        ("replication.userManaged.replicas.location=europe-west4", ["red"]),
    ],
)
def test_filters(api: SecretsApi, wanted: str, ids: list[str]) -> None:
    api.create("blue", labels={"team": "ct"}).raise_for_status()
    api.create("dark-blue").raise_for_status()
    managed = {"userManaged": {"replicas": [{"location": "europe-west4"}]}}
    api.create("red", replication=managed).raise_for_status()
    page = api.get("", filter=wanted).json()
    assert [one["name"].rpartition("/")[2] for one in page["secrets"]] == ids
    assert "totalSize" not in page


def test_a_filter_that_is_refused(api: SecretsApi) -> None:
    assert "invalid filter" in reason(api.get("", filter="colour=red"))


def test_secrets_of_a_location_are_apart(api: SecretsApi, client: TestClient) -> None:
    regional = SecretsApi(client, "projects/local-project/locations/europe-west4")
    body: dict[str, Any] = {"replication": None, "customerManagedEncryption": {"kmsKeyName": "k"}}
    created = regional.create(**body).json()
    assert created["name"] == "projects/123456789012/locations/europe-west4/secrets/tls"
    regional.add(b"there").raise_for_status()
    assert regional.content() == b"there"
    assert api.get().status_code == 404
    assert api.get("").json() == {}
    assert "regional" in reason(regional.create("other", **AUTOMATIC))


def test_a_policy_goes_with_its_secret(api: SecretsApi, cloud: Cloud) -> None:
    api.create().raise_for_status()
    binding = {"role": "roles/secretmanager.secretAccessor", "members": ["user:a@example.com"]}
    api.post("tls:setIamPolicy", policy={"bindings": [binding]}).raise_for_status()
    assert api.get("tls:getIamPolicy").json()["bindings"] == [binding]
    assert cloud.iam.policies.is_set("projects/local-project/secrets/tls")
    api.delete().raise_for_status()
    assert not cloud.iam.policies.is_set("projects/local-project/secrets/tls")
    assert api.get("tls:getIamPolicy").status_code == 404


def test_secrets_survive_a_restart(
    api: SecretsApi, cloud: Cloud, open_cloud: Callable[..., Cloud]
) -> None:
    api.create().raise_for_status()
    api.add(b"kept").raise_for_status()
    again = open_cloud()
    assert again.secret_manager.versions.access(f"{NAME}/versions/latest").content == b"kept"
    assert again.secret_manager.secrets.get(NAME)["name"] == NAME


def test_a_workload_needs_a_grant(api: SecretsApi, cloud: Cloud) -> None:
    api.create().raise_for_status()
    api.add(b"key").raise_for_status()
    account = "serviceAccount:adapter@local-project.iam.gserviceaccount.com"
    name = "projects/local-project/secrets/tls/versions/latest"
    with pytest.raises(Exception, match=r"Permission denied on secret: .*/versions/1 for adapter@"):
        cloud.secret_manager.access_as(name, account)
    condition = {"title": "one", "expression": f'resource.name == "{NAME}/versions/1"'}
    binding = {
        "role": "roles/secretmanager.secretAccessor",
        "members": [account],
        "condition": condition,
    }
    policy = {"bindings": [binding], "version": 3}
    api.post("tls:setIamPolicy", policy=policy).raise_for_status()
    assert cloud.secret_manager.access_as(name, account) == b"key"
    assert cloud.secret_manager.access_as(name, callers.OWNER) == b"key"
    api.add(b"next").raise_for_status()
    with pytest.raises(Exception, match="Grant it roles"):
        cloud.secret_manager.access_as(name, account)
