"""Cloud Run of the stand-in, against the local Google Cloud."""

from typing import Any

import pytest

from tests.support.emulated_google import EmulatedGoogle
from tests.support.plugin import Engine, RefusedError

SERVICE = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
PARENT = "projects/local-project/locations/us-central1"
IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"
BASE = {"name": "front", "location": "us-central1", "deletionProtection": False}
WEB: dict[str, Any] = {
    **BASE,
    "template": {
        "containers": [
            {
                "image": IMAGE,
                "args": ["--a"],
                "commands": ["python"],
                "envs": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            }
        ]
    },
}
TASK: dict[str, Any] = {
    **BASE,
    "template": {"taskCount": 2, "template": {"containers": [{"image": IMAGE}], "maxRetries": 0}},
}
SENDER: dict[str, Any] = {
    **BASE,
    "template": {"containers": [{"image": IMAGE, "args": ["--outgoing"]}]},
    "scaling": {"manualInstanceCount": 1},
}


def changed(engine: Engine, type_: str, id_: str, state: Any, news: Any) -> set[str]:
    return set(engine.diff(type_, id_, state, news).detailedDiff)


@pytest.mark.parametrize(
    ("type_", "news", "collection"),
    [(SERVICE, WEB, "services"), (JOB, TASK, "jobs"), (POOL, SENDER, "workerPools")],
)
def test_a_resource_is_created_read_imported_and_deleted(
    emulator_engine: Engine, emulated: EmulatedGoogle, type_: str, news: Any, collection: str
) -> None:
    engine = emulator_engine
    id_, state = engine.create(type_, news)
    assert id_ == f"{PARENT}/{collection}/front"
    assert state["terminalConditions"][0]["state"] == "CONDITION_SUCCEEDED"
    assert state["generation"] == state["observedGeneration"] == "1"
    assert state["launchStage"] == "GA"
    assert not changed(engine, type_, id_, state, news)
    assert engine.read(type_, id_, state, engine.inputs(type_, news))[1] == state
    for given in (id_, "local-project/us-central1/front", "us-central1/front"):
        assert engine.read(type_, given)[0] == id_
    engine.delete(type_, id_, state)
    assert emulated.client.get(f"/v2/{id_}").status_code == 404
    engine.delete(type_, id_, state)


def test_the_template_travels_as_the_api_has_it(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    _, state = emulator_engine.create(SERVICE, WEB)
    [created] = [one for one in emulated.requests if one.method == "POST"]
    assert created.query["serviceId"] == "front"
    assert created.body
    container = created.body["template"]["containers"][0]
    assert container["command"] == ["python"]
    assert container["env"] == [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    assert [one["name"] for one in state["template"]["containers"][0]["envs"]] == ["A", "B"]
    assert state["traffics"][0]["percent"] == 100
    assert state["uri"].startswith("http://127.0.0.1:")


def test_zeros_of_jobs_and_worker_pools_are_sent(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    engine = emulator_engine
    id_, state = engine.create(JOB, TASK)
    assert state["template"]["template"]["maxRetries"] == 0
    assert not changed(engine, JOB, id_, state, TASK)
    none = {**SENDER, "scaling": {"manualInstanceCount": 0}}
    engine.create(POOL, none)
    sent = [one.body for one in emulated.requests if one.method == "POST"]
    assert sent[-1]
    assert sent[-1]["scaling"] == {"manualInstanceCount": 0}


def test_a_service_changes_in_place_or_is_replaced(
    emulator_engine: Engine, emulated: EmulatedGoogle
) -> None:
    engine = emulator_engine
    id_, state = engine.create(SERVICE, {**WEB, "annotations": {"a": "1"}})
    news = {**WEB, "description": "new", "labels": {"team": "ct"}, "annotations": {"a": "2"}}
    after = engine.update(SERVICE, id_, state, news)
    assert (after["description"], after["labels"]) == ("new", {"team": "ct"})
    assert (after["annotations"], after["effectiveAnnotations"]) == ({"a": "2"}, {"a": "2"})
    assert after["latestReadyRevision"] == state["latestReadyRevision"]
    [patch] = [one for one in emulated.requests if one.method == "PATCH"]
    assert "updateMask" not in patch.query
    for other in ({"name": "other"}, {"location": "europe-west4"}):
        assert list(engine.diff(SERVICE, id_, after, {**news, **other}).replaces) == [*other]


def test_a_protected_resource_is_kept(emulator_engine: Engine) -> None:
    protected = {key: value for key, value in SENDER.items() if key != "deletionProtection"}
    id_, state = emulator_engine.create(POOL, protected)
    assert state["deletionProtection"] is True
    with pytest.raises(RefusedError, match="cannot destroy worker pool without setting"):
        emulator_engine.delete(POOL, id_, state)


@pytest.mark.parametrize(
    ("type_", "news", "member", "role"),
    [
        (SERVICE, WEB, "gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "roles/run.invoker"),
        (JOB, TASK, "gcp:cloudrunv2/jobIamMember:JobIamMember", "roles/run.developer"),
        (
            POOL,
            SENDER,
            "gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember",
            "roles/run.viewer",
        ),
    ],
)
def test_a_member_of_a_resource(
    emulator_engine: Engine, type_: str, news: Any, member: str, role: str
) -> None:
    engine = emulator_engine
    id_, _ = engine.create(type_, news)
    grant = {"role": role, "member": "user:anna@example.com"}
    for given in (id_, "front"):
        wanted = {"name": given, "location": "us-central1", **grant}
        granted, state = engine.create(member, wanted)
        assert granted == f"{id_}/{role}/{grant['member']}"
        assert state["name"] == id_
        assert not changed(engine, member, granted, state, wanted)
        same, imported, _ = engine.read(member, f"{id_} {role} {grant['member']}")
        assert (same, imported["location"]) == (granted, "us-central1")
        assert not changed(engine, member, granted, imported, wanted)
        engine.delete(member, granted, state)
