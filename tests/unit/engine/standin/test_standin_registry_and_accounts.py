"""Artifact Registry and service accounts of the stand-in, against the local Google Cloud."""

from typing import Any

import pytest

from tests.support.emulated_google import EmulatedGoogle
from tests.support.plugin import Engine, RefusedError

REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
ID = "projects/local-project/locations/us-central1/repositories/images"
EMAIL = "adapter@local-project.iam.gserviceaccount.com"
ACCOUNT_ID = f"projects/local-project/serviceAccounts/{EMAIL}"
DOCKER = {"repositoryId": "images", "format": "DOCKER"}
READER = {"role": "roles/artifactregistry.reader", "member": f"serviceAccount:{EMAIL}"}


def changed(engine: Engine, type_: str, id_: str, state: Any, news: Any) -> set[str]:
    return set(engine.diff(type_, id_, state, news).detailedDiff)


def test_a_repository_is_in_the_region_of_the_provider(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    engine = emulator_engine
    old = {"id": "old", "action": "DELETE", "condition": {"olderThan": "30d"}}
    kept = {"id": "kept", "action": "KEEP", "mostRecentVersions": {"keepCount": 3}}
    news = {
        **DOCKER,
        "description": "images of adapters",
        "dockerConfig": {"immutableTags": True},
        "cleanupPolicies": [old, kept],
    }
    id_, state = engine.create(REPOSITORY, news)
    assert id_ == ID
    assert (state["name"], state["location"]) == ("images", "us-central1")
    assert state["registryUri"] == "us-central1-docker.pkg.dev/local-project/images"
    assert (state["mode"], state["kmsKeyName"]) == ("STANDARD_REPOSITORY", "")
    assert [one["id"] for one in state["cleanupPolicies"]] == ["old", "kept"]
    assert state["vulnerabilityScanningConfig"]["enablementState"] == "SCANNING_DISABLED"
    body = emulated.requests[0].body
    assert body is not None
    assert body["cleanupPolicies"] == {
        "old": {"action": "DELETE", "condition": {"olderThan": "2592000s", "tagState": "ANY"}},
        "kept": {"action": "KEEP", "mostRecentVersions": {"keepCount": 3}},
    }
    assert not changed(engine, REPOSITORY, id_, state, news)
    assert engine.read(REPOSITORY, id_, state, engine.inputs(REPOSITORY, news))[1] == state


def test_a_repository_changes_in_place_or_is_replaced(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    engine = emulator_engine
    id_, state = engine.create(REPOSITORY, {**DOCKER, "format": "docker".upper()})
    news = {**DOCKER, "description": "new", "labels": {"team": "ct"}}
    after = engine.update(REPOSITORY, id_, state, news)
    assert (after["description"], after["labels"]) == ("new", {"team": "ct"})
    [patch] = [one for one in emulated.requests if one.method == "PATCH"]
    assert patch.query["updateMask"] == "description,labels"
    for other in ({"format": "PYTHON"}, {"location": "europe-west4"}, {"kmsKeyName": "k"}):
        response = engine.diff(REPOSITORY, id_, after, {**news, **other})
        assert list(response.replaces) == [*other]


def test_a_repository_is_deleted_and_imported(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    engine = emulator_engine
    id_, state = engine.create(REPOSITORY, DOCKER)
    for given in (ID, "local-project/us-central1/images", "us-central1/images"):
        imported = engine.read(REPOSITORY, given)
        assert imported[0] == ID
        assert imported[2]["repositoryId"] == "images"
    engine.delete(REPOSITORY, id_, state)
    assert emulated.client.get(f"/v1/{ID}").status_code == 404
    engine.delete(REPOSITORY, id_, state)


def test_a_repository_needs_a_location(emulator_engine: Engine) -> None:
    emulator_engine.configure()
    with pytest.raises(RefusedError, match="Cannot determine location"):
        emulator_engine.create(REPOSITORY, DOCKER)
    with pytest.raises(RefusedError, match="Cannot determine location"):
        emulator_engine.create(REPOSITORY_MEMBER, {"repository": "images", **READER})


@pytest.mark.parametrize("given", [ID, "local-project/us-central1/images", "images"])
def test_a_member_of_a_repository(emulator_engine: Engine, given: str) -> None:
    engine = emulator_engine
    engine.create(REPOSITORY, DOCKER)
    news: Any = {"repository": given, "location": "us-central1", **READER}
    id_, state = engine.create(REPOSITORY_MEMBER, news)
    assert id_ == f"{ID}/{READER['role']}/{READER['member']}"
    assert state["repository"] == ID
    assert not changed(engine, REPOSITORY_MEMBER, id_, state, news)
    engine.delete(REPOSITORY_MEMBER, id_, state)
    news["condition"] = {"title": "t", "expression": "request.time < timestamp('2100')"}
    with pytest.raises(RefusedError, match="nil state during Create"):
        engine.create(REPOSITORY_MEMBER, news)


def test_a_member_of_a_repository_in_the_region_of_the_provider(emulator_engine: Engine) -> None:
    emulator_engine.create(REPOSITORY, DOCKER)
    id_, state = emulator_engine.create(REPOSITORY_MEMBER, {"repository": "images", **READER})
    assert id_.startswith(f"{ID}/")
    assert state["location"] == "us-central1"


def test_a_service_account(emulator_engine: Engine, emulated: EmulatedGoogle) -> None:
    engine = emulator_engine
    news: Any = {"accountId": "adapter", "displayName": "Adapter", "description": "of the hospital"}
    id_, state = engine.create(ACCOUNT, news)
    assert id_ == ACCOUNT_ID
    assert (state["email"], state["name"]) == (EMAIL, ACCOUNT_ID)
    assert (state["member"], state["disabled"]) == (f"serviceAccount:{EMAIL}", False)
    assert state["uniqueId"].isdigit()
    assert not changed(engine, ACCOUNT, id_, state, news)
    assert engine.read(ACCOUNT, id_, state, engine.inputs(ACCOUNT, news))[1] == state
    news = {"accountId": "adapter", "displayName": "Other", "disabled": True}
    state = engine.update(ACCOUNT, id_, state, news)
    assert (state["displayName"], state["description"], state["disabled"]) == ("Other", "", True)
    assert emulated.changes()[-2:] == [f"PATCH /v1/{id_}", f"POST /v1/{id_}:disable"]
    state = engine.update(ACCOUNT, id_, state, {**news, "disabled": False})
    assert state["disabled"] is False
    engine.delete(ACCOUNT, id_, state)
    assert emulated.client.get(f"/v1/{id_}").status_code == 404


def test_an_account_that_exists_is_taken_where_the_program_says_so(
    emulator_engine: Engine,
) -> None:
    engine = emulator_engine
    engine.create(ACCOUNT, {"accountId": "adapter"})
    with pytest.raises(RefusedError, match=r"Error creating service account: .*already exists"):
        engine.create(ACCOUNT, {"accountId": "adapter"})
    news = {"accountId": "adapter", "createIgnoreAlreadyExists": True}
    id_, state = engine.create(ACCOUNT, news)
    assert (id_, state["email"]) == (ACCOUNT_ID, EMAIL)
    assert not changed(engine, ACCOUNT, id_, state, news)


@pytest.mark.parametrize("given", [ACCOUNT_ID, f"local-project/{EMAIL}", EMAIL])
def test_an_account_is_imported(emulator_engine: Engine, given: str) -> None:
    emulator_engine.create(ACCOUNT, {"accountId": "adapter"})
    id_, _, inputs = emulator_engine.read(ACCOUNT, given)
    assert id_ == ACCOUNT_ID
    assert (inputs["accountId"], inputs["project"]) == ("adapter", "local-project")


@pytest.mark.parametrize(
    ("news", "reason"),
    [
        ({"accountId": "x"}, '"account_id" ("x") doesn\'t match regexp'),
        ({"accountId": "adapter", "description": "x" * 257}, "range (0 - 256)"),
    ],
)
def test_accounts_that_are_refused(emulator_engine: Engine, news: Any, reason: str) -> None:
    [failure] = emulator_engine.check(ACCOUNT, news).failures
    assert reason in failure.reason


def test_a_member_of_an_account(emulator_engine: Engine, emulated: EmulatedGoogle) -> None:
    engine = emulator_engine
    engine.create(ACCOUNT, {"accountId": "adapter"})
    role = "roles/iam.serviceAccountTokenCreator"
    condition = {"title": "for a while", "expression": "request.time < timestamp('2100')"}
    news = {"serviceAccountId": ACCOUNT_ID, "role": role, "member": "user:a@example.com"}
    for more in ({}, {"condition": condition}):
        id_, state = engine.create(ACCOUNT_MEMBER, {**news, **more})
        assert id_.startswith(f"{ACCOUNT_ID}/{role}/user:a@example.com")
        assert not changed(engine, ACCOUNT_MEMBER, id_, state, {**news, **more})
        engine.delete(ACCOUNT_MEMBER, id_, state)
    policy = emulated.client.post(f"/v1/{ACCOUNT_ID}:getIamPolicy").json()
    assert "bindings" not in policy
    [failure] = engine.check(ACCOUNT_MEMBER, {**news, "serviceAccountId": EMAIL}).failures
    assert failure.reason.startswith(f'"service_account_id" ("{EMAIL}") doesn\'t match regexp')
