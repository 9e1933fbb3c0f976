"""The stand-in's types of Secret Manager, against the local Google Cloud."""

import base64
from typing import Any

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.values import from_struct, to_struct
from tests.support.emulated_google import EmulatedGoogle
from tests.support.plugin import Engine, RefusedError

SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"
ID = "projects/local-project/secrets/tls"
NUMBERED = "projects/123456789012/secrets/tls"
AUTO = {"secretId": "tls", "replication": {"auto": {}}}
ROLE = "roles/secretmanager.secretAccessor"


def changed(engine: Engine, type_: str, id_: str, state: Any, news: Any) -> set[str]:
    return set(engine.diff(type_, id_, state, news).detailedDiff)


def test_a_secret_is_created_and_stays(emulator_engine: Engine, emulated: EmulatedGoogle) -> None:
    engine = emulator_engine
    news = {**AUTO, "labels": {"team": "imaging"}, "annotations": {"owner": "ct"}, "ttl": "86400s"}
    id_, state = engine.create(SECRET, news)
    assert id_ == ID
    assert state["name"] == NUMBERED
    assert state["replication"] == {
        "auto": {"customerManagedEncryption": None},
        "userManaged": None,
    }
    assert (state["ttl"], state["expireTime"][:2]) == ("86400s", "20")
    assert state["effectiveAnnotations"] == state["annotations"] == {"owner": "ct"}
    assert state["effectiveLabels"] == {"team": "imaging", "goog-pulumi-provisioned": "true"}
    assert (state["rotation"], state["topics"], state["deletionProtection"]) == (None, [], False)
    assert emulated.requests[0].body == {
        "annotations": {"owner": "ct"},
        "labels": {"team": "imaging", "goog-pulumi-provisioned": "true"},
        "replication": {"automatic": {}},
        "ttl": "86400s",
    }
    assert not changed(engine, SECRET, id_, state, news)
    assert engine.read(SECRET, id_, state, engine.inputs(SECRET, news))[1] == state


def test_an_update_sends_what_changes(emulator_engine: Engine, emulated: EmulatedGoogle) -> None:
    engine = emulator_engine
    first = {**AUTO, "annotations": {"owner": "ct"}, "ttl": "86400s"}
    id_, state = engine.create(SECRET, first)
    others = {"annotations": {"owner": "ct", "scanned": "yes"}}
    emulated.client.patch(f"/v1/{ID}?updateMask=annotations", json=others).raise_for_status()
    state = engine.read(SECRET, id_, state, engine.inputs(SECRET, first))[1]
    news = {**AUTO, "annotations": {"owner": "mr"}, "ttl": "90000s", "versionDestroyTtl": "86400s"}
    assert changed(engine, SECRET, id_, state, news) == {
        "annotations.owner",
        "ttl",
        "versionDestroyTtl",
    }
    emulated.requests.clear()
    after = engine.update(SECRET, id_, state, news)
    masks = [one.query["updateMask"] for one in emulated.requests if one.method == "PATCH"]
    assert masks == ["annotations,versionDestroyTtl", "ttl"]
    assert after["annotations"] == {"owner": "mr"}
    assert after["effectiveAnnotations"] == {"owner": "mr", "scanned": "yes"}
    assert after["expireTime"] > state["expireTime"]
    assert not changed(engine, SECRET, id_, after, news)


def test_another_replication_replaces(emulator_engine: Engine) -> None:
    engine = emulator_engine
    managed = {"userManaged": {"replicas": [{"location": "europe-west4"}]}}
    news = {"secretId": "tls", "replication": managed}
    id_, state = engine.create(SECRET, news)
    assert not changed(engine, SECRET, id_, state, news)
    response = engine.diff(SECRET, id_, state, AUTO)
    assert set(response.detailedDiff) == {"replication.userManaged"}
    assert list(response.replaces) == ["replication"]
    assert response.deleteBeforeReplace


def test_a_protected_secret_stays(emulator_engine: Engine, emulated: EmulatedGoogle) -> None:
    engine = emulator_engine
    id_, state = engine.create(SECRET, {**AUTO, "deletionProtection": True})
    with pytest.raises(RefusedError, match="deletion_protection=false"):
        engine.delete(SECRET, id_, state)
    assert emulated.client.get(f"/v1/{ID}").status_code == 200
    state = engine.update(SECRET, id_, state, AUTO)
    engine.delete(SECRET, id_, state)
    assert emulated.client.get(f"/v1/{ID}").status_code == 404


@pytest.mark.parametrize("given", [ID, "local-project/tls", "tls"])
def test_a_secret_is_imported(emulator_engine: Engine, given: str) -> None:
    engine = emulator_engine
    _, state = engine.create(SECRET, AUTO)
    id_, imported, inputs = engine.read(SECRET, given)
    assert id_ == ID
    assert imported["name"] == state["name"]
    assert inputs["replication"] == {"auto": {}}
    assert inputs["secretId"] == "tls"
    assert not changed(engine, SECRET, id_, imported, AUTO)


@pytest.fixture
def version(emulator_engine: Engine) -> tuple[str, Any, Any]:
    """The id, the state and the inputs of a version."""
    secret = emulator_engine.create(SECRET, AUTO)[0]
    news = {"secret": secret, "secretData": "key ü"}
    return (*emulator_engine.create(VERSION, news), news)


def test_a_version_has_its_payload(
    emulator_engine: Engine, emulated: EmulatedGoogle, version: tuple[str, Any, Any]
) -> None:
    engine, (id_, state, news) = emulator_engine, version
    assert id_ == f"{NUMBERED}/versions/1"
    assert (state["name"], state["version"], state["secretData"]) == (id_, "1", "key ü")
    assert (state["enabled"], state["secretDataWoVersion"], state["destroyTime"]) == (
        True,
        None,
        "",
    )
    assert not changed(engine, VERSION, id_, state, news)
    assert engine.read(VERSION, id_, state, engine.inputs(VERSION, news))[1] == state
    bytes_ = base64.b64encode(b"\x00\xff").decode()
    binary = {"secret": ID, "secretData": bytes_, "isSecretDataBase64": True}
    second, state = engine.create(VERSION, binary)
    assert (second[-1], state["secretData"]) == ("2", bytes_)
    accessed = emulated.client.get(f"/v1/{second}:access").json()
    assert base64.b64decode(accessed["payload"]["data"]) == b"\x00\xff"


def test_another_payload_is_another_version(
    emulator_engine: Engine, version: tuple[str, Any, Any]
) -> None:
    id_, state, news = version
    response = emulator_engine.diff(VERSION, id_, state, {**news, "secretData": "other"})
    assert list(response.replaces) == ["secretData"]
    assert not response.deleteBeforeReplace


def test_a_version_is_disabled_and_enabled(
    emulator_engine: Engine, emulated: EmulatedGoogle, version: tuple[str, Any, Any]
) -> None:
    engine, (id_, state, news) = emulator_engine, version
    disabled = {**news, "enabled": False}
    state = engine.update(VERSION, id_, state, disabled)
    assert (state["enabled"], state["secretData"]) == (False, "key ü")
    assert not changed(engine, VERSION, id_, state, disabled)
    state = engine.update(VERSION, id_, state, news)
    assert state["enabled"] is True
    assert emulated.changes()[-2:] == [f"POST /v1/{id_}:disable", f"POST /v1/{id_}:enable"]
    born = engine.create(VERSION, {"secret": ID, "secretData": "x", "enabled": False})
    assert born[1]["enabled"] is False
    assert emulated.client.get(f"/v1/{born[0]}").json()["state"] == "DISABLED"


@pytest.mark.parametrize(
    ("policy", "after"), [("DELETE", "DESTROYED"), ("DISABLE", "DISABLED"), ("ABANDON", "ENABLED")]
)
def test_the_deletion_policy_of_a_version(
    emulator_engine: Engine,
    emulated: EmulatedGoogle,
    version: tuple[str, Any, Any],
    policy: str,
    after: str,
) -> None:
    id_, state, news = version
    state = emulator_engine.update(VERSION, id_, state, {**news, "deletionPolicy": policy})
    emulator_engine.delete(VERSION, id_, state)
    assert emulated.client.get(f"/v1/{id_}").json()["state"] == after


def test_a_destroyed_version_is_gone(
    emulator_engine: Engine, emulated: EmulatedGoogle, version: tuple[str, Any, Any]
) -> None:
    id_, state, news = version
    emulated.client.post(f"/v1/{id_}:destroy").raise_for_status()
    inputs = emulator_engine.inputs(VERSION, news)
    assert emulator_engine.read(VERSION, id_, state, inputs) == ("", {}, {})


def test_a_version_is_imported(emulator_engine: Engine, version: tuple[str, Any, Any]) -> None:
    id_, _, _ = version
    _, state, inputs = emulator_engine.read(VERSION, f"{ID}/versions/1")
    assert (state["name"], state["secretData"]) == (id_, "key ü")
    assert (inputs["secret"], inputs["secretData"]) == (ID, "key ü")
    with pytest.raises(RefusedError, match=r"has to look like projects/\{project\}/secrets"):
        emulator_engine.read(VERSION, "tls")


@pytest.mark.parametrize("given", [ID, "local-project/tls", "tls"])
def test_a_member_with_a_condition(
    emulator_engine: Engine, emulated: EmulatedGoogle, given: str
) -> None:
    engine = emulator_engine
    engine.create(SECRET, AUTO)
    condition = {"title": "for a while", "expression": "request.time < timestamp('2100')"}
    granted = {"secretId": given, "role": ROLE, "member": "user:a@example.com"}
    news: Any = {**granted, "condition": condition}
    id_, state = engine.create(MEMBER, news)
    assert id_.startswith(f"{ID}/{ROLE}/user:a@example.com/for a while")
    assert state["secretId"] == ID
    assert not changed(engine, MEMBER, id_, state, news)
    query = {"options.requestedPolicyVersion": "3"}
    policy = emulated.client.get(f"/v1/{ID}:getIamPolicy", params=query).json()
    [binding] = policy["bindings"]
    assert (binding["members"], binding["condition"]) == (["user:a@example.com"], condition)
    engine.delete(MEMBER, id_, state)
    assert "bindings" not in emulated.client.get(f"/v1/{ID}:getIamPolicy").json()


def test_a_secret_without_an_id_gets_one(emulator_engine: Engine) -> None:
    id_, state = emulator_engine.create(SECRET, {"replication": {"auto": {}}})
    assert state["secretId"].startswith("one-")
    assert id_ == f"projects/local-project/secrets/{state['secretId']}"


def test_a_program_reads_the_payload_of_a_version(emulator_engine: Engine) -> None:
    emulator_engine.create(SECRET, AUTO)
    emulator_engine.create(VERSION, {"secret": ID, "secretData": "shared"})

    def read(**args: Any) -> Any:
        token = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
        request = provider_pb2.InvokeRequest(tok=token, args=to_struct(args))
        return from_struct(getattr(emulator_engine.stub.Invoke(request), "return"))

    found = read(secret="tls")
    assert (found["secretData"], found["version"]) == ("shared", "1")
    assert found["name"] == f"{NUMBERED}/versions/1"
    encoded = read(secret="tls", version="1", project="local-project", isSecretDataBase64=True)
    assert base64.b64decode(encoded["secretData"]) == b"shared"
    with pytest.raises(RefusedError, match="Error retrieving the secret version's data"):
        read(secret="tls", version="2")
