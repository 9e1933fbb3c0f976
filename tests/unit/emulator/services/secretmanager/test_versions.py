"""Versions of secrets: payloads, states, names, delayed destruction."""

import base64
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from starlette.testclient import TestClient

from emulator.core.database import STATE_FILE
from tests.support.secrets import SecretsApi

NAME = "projects/123456789012/secrets/tls"
CONTENT = b"\x00\xff not a text"


@pytest.fixture
def secret(api: SecretsApi) -> SecretsApi:
    """Calls about a secret `tls` that has one version."""
    api.create().raise_for_status()
    api.add(CONTENT).raise_for_status()
    return api


def refusal(answer: Any, status: str = "FAILED_PRECONDITION") -> str:
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (400, status), answer.text
    return str(error["message"])


def test_a_payload_is_accessed_with_its_checksum(secret: SecretsApi) -> None:
    answer = secret.get("tls/versions/1:access").json()
    assert answer["name"] == f"{NAME}/versions/1"
    assert base64.b64decode(answer["payload"]["data"]) == CONTENT
    assert answer["payload"]["dataCrc32c"] == str(google_crc32c.value(CONTENT))


def test_a_version_shows_no_payload(secret: SecretsApi) -> None:
    version = secret.get("tls/versions/1").json()
    etag, created = version.pop("etag"), version.pop("createTime")
    assert etag.startswith('"')
    assert created.endswith("Z")
    assert version == {
        "name": f"{NAME}/versions/1",
        "state": "ENABLED",
        "replicationStatus": {"automatic": {}},
    }


def test_replicas_are_in_the_status(api: SecretsApi) -> None:
    replicas = [{"location": "us-east1"}, {"location": "us-west1"}]
    api.create(replication={"userManaged": {"replicas": replicas}}).raise_for_status()
    assert api.add(b"x").json()["replicationStatus"] == {"userManaged": {"replicas": replicas}}


def test_latest_is_the_newest_whatever_its_state(secret: SecretsApi) -> None:
    assert secret.add(b"two").json()["name"] == f"{NAME}/versions/2"
    assert secret.content() == b"two"
    secret.post("tls/versions/2:disable").raise_for_status()
    answer = secret.get("tls/versions/latest:access")
    assert refusal(answer) == f"Secret Version [{NAME}/versions/2] is in DISABLED state."
    assert secret.content("1") == CONTENT
    secret.post("tls/versions/2:enable").raise_for_status()
    assert secret.content() == b"two"
    assert secret.get("tls/versions/latest").json()["name"] == f"{NAME}/versions/2"


def test_missing_versions_are_named(api: SecretsApi) -> None:
    api.create().raise_for_status()
    expected = {
        "latest": f"Secret [{NAME}] not found or has no versions.",
        "1": f"Secret Version [{NAME}/versions/1] not found.",
        "prod": f"Secret Version [{NAME}/versions/prod] not found.",
    }
    for version, message in expected.items():
        answer = api.get(f"tls/versions/{version}:access")
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, message)


def test_an_alias_leads_to_a_version(secret: SecretsApi) -> None:
    secret.add(b"two").raise_for_status()
    changed = secret.patch("versionAliases", versionAliases={"prod": 1}).json()
    assert changed["versionAliases"] == {"prod": "1"}
    assert secret.content("prod") == CONTENT
    answer = secret.post("tls/versions/prod:disable")
    assert "by its number only" in refusal(answer, "INVALID_ARGUMENT")


def test_a_destroyed_version_loses_its_payload(secret: SecretsApi, tmp_path: Path) -> None:
    destroyed = secret.post("tls/versions/1:destroy").json()
    assert destroyed["state"] == "DESTROYED"
    assert datetime.fromisoformat(destroyed["destroyTime"]).timestamp() <= time.time()
    message = f"Secret Version [{NAME}/versions/1] is in DESTROYED state."
    for verb in ("enable", "disable", "destroy"):
        assert refusal(secret.post(f"tls/versions/1:{verb}")) == message
    assert refusal(secret.get("tls/versions/1:access")) == message
    assert secret.add(b"two").json()["name"] == f"{NAME}/versions/2"


def test_a_delayed_destruction_can_be_cancelled(
    api: SecretsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create(versionDestroyTtl="86400s").raise_for_status()
    for content in (b"one", b"two"):
        api.add(content).raise_for_status()
        scheduled = api.post(f"tls/versions/{1 if content == b'one' else 2}:destroy").json()
        assert scheduled["state"] == "DISABLED"
    enabled = api.post("tls/versions/2:enable").json()
    assert (enabled["state"], "scheduledDestroyTime" in enabled) == ("ENABLED", False)
    due = datetime.fromisoformat(api.get("tls/versions/1").json()["scheduledDestroyTime"])
    monkeypatch.setattr(time, "time", lambda: due.timestamp() + 3600)
    destroyed = api.get("tls/versions/1").json()
    assert (destroyed["state"], "scheduledDestroyTime" in destroyed) == ("DESTROYED", False)
    assert datetime.fromisoformat(destroyed["destroyTime"]) == due
    assert api.content("2") == b"two"


def test_a_change_with_another_etag_is_refused(secret: SecretsApi) -> None:
    first = secret.get("tls/versions/1").json()["etag"]
    secret.post("tls/versions/1:enable", etag=first).raise_for_status()
    assert "does not match" in refusal(secret.post("tls/versions/1:disable", etag=first))
    assert secret.content() == CONTENT


def test_lists_begin_with_the_newest(secret: SecretsApi) -> None:
    for content in (b"two", b"three"):
        secret.add(content).raise_for_status()
    secret.post("tls/versions/2:disable").raise_for_status()
    page = secret.get("tls/versions", pageSize="2").json()
    assert [one["name"][-1] for one in page["versions"]] == ["3", "2"]
    assert page["totalSize"] == 3
    rest = secret.get("tls/versions", pageSize="2", pageToken=page["nextPageToken"]).json()
    assert [one["name"][-1] for one in rest["versions"]] == ["1"]
    enabled = secret.get("tls/versions", filter="state:ENABLED").json()
    assert [one["name"][-1] for one in enabled["versions"]] == ["3", "1"]
    assert "totalSize" not in enabled


def test_a_checksum_is_verified(secret: SecretsApi) -> None:
    added = secret.add(b"two", dataCrc32c=str(google_crc32c.value(b"two"))).json()
    assert added["clientSpecifiedPayloadChecksum"] is True
    assert "does not match" in refusal(secret.add(b"three", dataCrc32c="1"), "INVALID_ARGUMENT")
    assert secret.content() == b"two"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (None, "cannot be empty"),
        ({"data": ""}, "cannot be empty"),
        ({"data": "c2VjcmV0!"}, "Base64 decoding failed"),
        ({"data": 5318008}, "TYPE_BYTES"),
        ("5318008", "not a message"),
        ({"data": base64.b64encode(bytes(65537)).decode()}, "65537 bytes long: at most 65536"),
    ],
)
def test_payloads_that_are_refused(api: SecretsApi, payload: Any, message: str) -> None:
    api.create().raise_for_status()
    answer = api.post("tls:addVersion", payload=payload)
    assert message in refusal(answer, "INVALID_ARGUMENT")
    assert "5318008" not in answer.text
    assert "c2VjcmV0" not in answer.text


def test_the_state_is_for_its_user_alone(
    secret: SecretsApi, tmp_path: Path, client: TestClient
) -> None:
    for file in tmp_path.glob(f"{STATE_FILE}*"):
        assert file.stat().st_mode & 0o077 == 0, file
