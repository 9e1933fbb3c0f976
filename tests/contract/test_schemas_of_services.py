"""Every answer of the services beside the Healthcare API is of its document's schema.

As `test_schemas.py` does for the Healthcare API: a walk calls each method that a route answers.
"""

import base64
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from emulator.api_coverage import offline_cloud
from emulator.server.server_file import ServerInfo
from emulator.services.artifactregistry.routes import routes as artifactregistry
from emulator.services.dataflow.routes import routes as dataflow_routes
from emulator.services.kms.routes import routes as kms
from emulator.services.pubsub.routes import routes as pubsub
from emulator.services.resourcemanager.routes import routes as resourcemanager
from emulator.services.run.routes import routes as run_routes
from emulator.services.secretmanager.routes import routes as secretmanager
from emulator.services.serviceusage.routes import routes as serviceusage
from tests.support import schema_walk
from tests.support.run_programs import container
from tests.support.schema_walk import Walk
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

READER = "user:reader@example.org"
RINGS = "projects.locations.keyRings"
KEYS = f"{RINGS}.cryptoKeys"
VERSIONS = f"{KEYS}.cryptoKeyVersions"


def walk_policies(
    walk: Walk, resource: str, *ids: str, role: str, permission: str, **more: Any
) -> None:
    """Set, read and test a policy with a condition.

    Args:
        walk: The walk.
        resource: What the methods are of.
        ids: What they are called with.
        role: A role that can be granted.
        permission: What it allows, and so is asked for.
        more: Fields of the policy besides its bindings.
    """
    condition = {"title": "for a while", "expression": "request.time < timestamp('2100')"}
    binding = {"role": role, "members": [READER], "condition": condition}
    body: dict[str, Any] = {"policy": {"version": 3, "bindings": [binding], **more}}
    if more:
        body["updateMask"] = f"bindings,etag,{','.join(more)}"
    given = walk(f"{resource}.setIamPolicy", *ids, body=body).json()
    assert given["bindings"][-1] == binding
    for version, shown in ((3, given["bindings"]), (1, None)):
        if walk.methods[f"{resource}.getIamPolicy"]["httpMethod"] == "GET":
            asked: dict[str, Any] = {"params": {"options.requestedPolicyVersion": str(version)}}
        else:
            asked = {"body": {"options": {"requestedPolicyVersion": version}}}
        policy = walk(f"{resource}.getIamPolicy", *ids, **asked).json()
        assert shown in (None, policy["bindings"])
    tested = walk(f"{resource}.testIamPermissions", *ids, body={"permissions": [permission]})
    assert tested.json() == {"permissions": [permission]}


def walk_pages(walk: Walk, method: str, *ids: str, key: str, **params: str) -> list[Any]:
    """List by pages of one; everything that was listed."""
    listed: list[Any] = []
    token = ""
    while True:
        page = walk(method, *ids, params={"pageSize": "1", "pageToken": token, **params}).json()
        listed += page.get(key, [])
        token = page.get("nextPageToken", "")
        if not token:
            return listed


def walk_pubsub(walk: Walk) -> None:
    topic = {
        "labels": {"team": "imaging"},
        "messageRetentionDuration": "600s",
        "kmsKeyName": f"projects/{walk.project}/locations/us/keyRings/r/cryptoKeys/k",
        "messageStoragePolicy": {"allowedPersistenceRegions": ["us-central1"]},
    }
    created = walk("projects.topics.create", "events", body=topic).json()
    assert created == {**topic, "name": f"projects/{walk.project}/topics/events"}
    walk("projects.topics.create", "dead", body={})
    assert walk("projects.topics.get", "events").json() == created
    change = {"topic": {"labels": {"team": "ward"}}, "updateMask": "labels"}
    walk("projects.topics.patch", "events", body=change)
    assert len(walk_pages(walk, "projects.topics.list", key="topics")) == 2
    granted = {"role": "roles/pubsub.publisher", "permission": "pubsub.topics.publish"}
    walk_policies(walk, "projects.topics", "events", **granted)
    walk_subscriptions(walk)
    walk_messages(walk)
    for subscription in ("pushed", "plain"):
        walk("projects.subscriptions.delete", subscription)
    walk("projects.topics.delete", "events")
    assert walk("projects.subscriptions.get", "pulled").json()["topic"] == "_deleted-topic_"


def walk_subscriptions(walk: Walk) -> None:
    """One with about every setting, one that is pushed, one with none."""
    topic = f"projects/{walk.project}/topics/events"
    pulled = {
        "topic": topic,
        "ackDeadlineSeconds": 30,
        "deadLetterPolicy": {"deadLetterTopic": f"projects/{walk.project}/topics/dead"},
        "enableExactlyOnceDelivery": True,
        "enableMessageOrdering": True,
        "expirationPolicy": {"ttl": "86400s"},
        "filter": 'attributes.action = "StoreInstances"',
        "labels": {"team": "imaging"},
        "messageRetentionDuration": "600s",
        "retainAckedMessages": True,
        "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "600s"},
    }
    # Not on this machine, so that nothing is posted.
    endpoint = {
        "pushEndpoint": "https://push.example.org/events",
        "attributes": {"x-goog-version": "v1"},
        "oidcToken": {"serviceAccountEmail": "push@example.org", "audience": "events"},
    }
    created = walk("projects.subscriptions.create", "pulled", body=pulled).json()
    assert set(pulled) <= set(created)
    body = {"topic": topic, "pushConfig": endpoint}
    assert walk("projects.subscriptions.create", "pushed", body=body).json()["pushConfig"]
    walk("projects.subscriptions.create", "plain", body={"topic": topic})
    assert walk("projects.subscriptions.get", "pulled").json() == created
    change = {"subscription": {"labels": {"team": "ward"}}, "updateMask": "labels,retryPolicy"}
    walk("projects.subscriptions.patch", "pulled", body=change)
    unwrapped = {"pushConfig": {**endpoint, "noWrapper": {"writeMetadata": True}}}
    walk("projects.subscriptions.modifyPushConfig", "pushed", body=unwrapped)
    walk("projects.subscriptions.get", "pushed")
    assert len(walk_pages(walk, "projects.subscriptions.list", key="subscriptions")) == 3
    names = walk_pages(walk, "projects.topics.subscriptions.list", "events", key="subscriptions")
    assert len(names) == 3
    walk("projects.topics.subscriptions.list", "dead")
    granted = {"role": "roles/pubsub.subscriber", "permission": "pubsub.subscriptions.consume"}
    walk_policies(walk, "projects.subscriptions", "pulled", **granted)


def walk_messages(walk: Walk) -> None:
    pull = {"maxMessages": 10}
    walk("projects.subscriptions.pull", "pulled", body=pull)
    data = base64.b64encode(b"an instance").decode()
    message = {"data": data, "attributes": {"action": "StoreInstances"}, "orderingKey": "1"}
    sent = {"messages": [message, {"attributes": {"action": "StoreInstances"}}]}
    walk("projects.topics.publish", "events", body=sent)
    received = walk("projects.subscriptions.pull", "pulled", body=pull).json()["receivedMessages"]
    assert received[0]["message"]["data"] == data
    assert [one["deliveryAttempt"] for one in received] == [1, 1], "it has a dead-letter policy"
    ids = [one["ackId"] for one in received]
    more_time = {"ackIds": ids, "ackDeadlineSeconds": 60}
    walk("projects.subscriptions.modifyAckDeadline", "pulled", body=more_time)
    walk("projects.subscriptions.acknowledge", "pulled", body={"ackIds": ids})
    walk("projects.subscriptions.pull", "plain", body=pull)


def walk_kms(walk: Walk) -> None:
    for ring in ("ring", "other"):
        walk(f"{RINGS}.create", body={}, params={"keyRingId": ring})
    assert walk(f"{RINGS}.get", "ring").json()["createTime"]
    assert len(walk_pages(walk, f"{RINGS}.list", key="keyRings")) == 2
    key = {
        "purpose": "ENCRYPT_DECRYPT",
        "labels": {"team": "imaging"},
        "rotationPeriod": "7776000s",
        "nextRotationTime": "2100-01-01T00:00:00Z",
        "destroyScheduledDuration": "86400s",
    }
    signing = {
        "purpose": "ASYMMETRIC_SIGN",
        "versionTemplate": {"algorithm": "EC_SIGN_P256_SHA256", "protectionLevel": "HSM"},
    }
    created = walk(f"{KEYS}.create", "ring", body=key, params={"cryptoKeyId": "key"}).json()
    assert created["primary"]["state"] == "ENABLED"
    walk(f"{KEYS}.create", "ring", body=signing, params={"cryptoKeyId": "signing"})
    assert walk(f"{KEYS}.get", "ring", "key").json() == created
    secret = {"plaintext": "c2VjcmV0", "additionalAuthenticatedData": "d2FyZA=="}
    hidden = walk(f"{KEYS}.encrypt", "ring", "key", body=secret).json()["ciphertext"]
    bound = {"ciphertext": hidden, "additionalAuthenticatedData": "d2FyZA=="}
    assert walk(f"{KEYS}.decrypt", "ring", "key", body=bound).json()["plaintext"] == "c2VjcmV0"
    mask = {"updateMask": "labels"}
    walk(f"{KEYS}.patch", "ring", "key", body={"labels": {"team": "ward"}}, params=mask)
    assert len(walk_pages(walk, f"{KEYS}.list", "ring", key="cryptoKeys")) == 2
    walk(f"{VERSIONS}.create", "ring", "key", body={})
    [signer] = walk(f"{VERSIONS}.list", "ring", "signing").json()["cryptoKeyVersions"]
    assert signer["protectionLevel"] == "HSM"
    assert len(walk_pages(walk, f"{VERSIONS}.list", "ring", "key", key="cryptoKeyVersions")) == 2
    destroyed = walk(f"{VERSIONS}.destroy", "ring", "key", "1", body={}).json()
    assert destroyed["state"] == "DESTROY_SCHEDULED"
    walk(f"{VERSIONS}.get", "ring", "key", "1")
    audit = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
    granted = {"role": "roles/cloudkms.viewer", "permission": "cloudkms.cryptoKeys.get"}
    walk_policies(walk, RINGS, "ring", **granted, auditConfigs=audit)
    walk_policies(walk, KEYS, "ring", "key", **granted, auditConfigs=audit)


def walk_secrets(walk: Walk) -> None:
    schema_walk.let_agent_publish(walk, "secretmanager", "events")
    automatic: dict[str, Any] = {"replication": {"automatic": {}}}
    for collection, body in (("projects.secrets", automatic), ("projects.locations.secrets", {})):
        versions = f"{collection}.versions"
        settings = {
            "labels": {"team": "imaging"},
            "annotations": {"owner": "imaging"},
            "topics": [{"name": f"projects/{walk.project}/topics/events"}],
            "rotation": {"nextRotationTime": "2100-01-01T00:00:00Z", "rotationPeriod": "7776000s"},
            "ttl": "86400s",
            "versionDestroyTtl": "86400s",
        }
        created = walk(
            f"{collection}.create", body={**body, **settings}, params={"secretId": "one"}
        ).json()
        assert created["expireTime"]
        walk(f"{collection}.create", body=body, params={"secretId": "other"})
        assert walk(f"{collection}.get", "one").json() == created
        assert len(walk_pages(walk, f"{collection}.list", key="secrets")) == 2
        for data in ("Zmlyc3Q=", "c2Vjb25k"):
            walk(f"{collection}.addVersion", "one", body={"payload": {"data": data}})
        mask = {"updateMask": "version_aliases"}
        walk(f"{collection}.patch", "one", body={"versionAliases": {"prod": "1"}}, params=mask)
        accessed = walk(f"{versions}.access", "one", "prod").json()
        assert accessed["payload"]["data"] == "Zmlyc3Q="
        walk(f"{versions}.get", "one", "latest")
        for verb, state in (
            ("disable", "DISABLED"),
            ("enable", "ENABLED"),
            ("destroy", "DISABLED"),
        ):
            changed = walk(f"{versions}.{verb}", "one", "2", body={}).json()
            assert changed["state"] == state
        assert len(walk_pages(walk, f"{versions}.list", "one", key="versions")) == 2
        role, permission = "roles/secretmanager.secretAccessor", "secretmanager.versions.access"
        walk_policies(walk, collection, "one", role=role, permission=permission)
        walk(f"{collection}.delete", "other")


def _is_done(walk: Walk, method: str, id_: str) -> bool:
    return bool(walk(method, id_).json().get("done"))


def walk_repositories(walk: Walk) -> None:
    collection = "projects.locations.repositories"
    body = {
        "format": "DOCKER",
        "description": "images",
        "labels": {"team": "imaging"},
        "dockerConfig": {"immutableTags": True},
        "cleanupPolicies": {"old": {"action": "DELETE", "condition": {"olderThan": "86400s"}}},
    }
    started = [
        walk(f"{collection}.create", body=body, params={"repositoryId": "one"}),
        walk(f"{collection}.create", body={"format": "PYTHON"}, params={"repositoryId": "other"}),
        walk(f"{collection}.delete", "other"),
    ]
    for answer in started:
        id_ = answer.json()["name"].rpartition("/")[2]
        wait_until(
            partial(_is_done, walk, "projects.locations.operations.get", id_), "no end: " + id_
        )
    found = walk(f"{collection}.get", "one").json()
    assert found["registryUri"] == f"us-central1-docker.pkg.dev/{walk.project}/one"
    mask = {"updateMask": "description"}
    changed = walk(f"{collection}.patch", "one", body={"description": "x"}, params=mask).json()
    assert walk_pages(walk, f"{collection}.list", key="repositories") == [changed]
    walk(f"{collection}.dockerImages.list", "one")
    role, permission = "roles/artifactregistry.reader", "artifactregistry.repositories.get"
    walk_policies(walk, collection, "one", role=role, permission=permission)


def walk_run(walk: Walk) -> None:
    root = "projects.locations"

    def ended(answer: httpx.Response) -> Any:
        name = answer.json()["name"].rpartition("/")[2]
        return wait_until(
            lambda: (got := walk(f"{root}.operations.get", name).json()).get("done") and got,
            f"{name} does not end",
        )

    web, waiting = container("web"), container("job", "wait")
    bodies: dict[str, tuple[dict[str, Any], str]] = {
        "services": ({"template": {"containers": [web]}}, "serviceId"),
        "workerPools": ({"template": {"containers": [waiting]}}, "workerPoolId"),
        "jobs": ({"template": {"template": {"containers": [waiting]}}}, "jobId"),
    }
    for collection, (body, parameter) in bodies.items():
        every = f"{root}.{collection}"
        for id_ in ("one", "other"):
            assert "error" not in ended(walk(f"{every}.create", body=body, params={parameter: id_}))
        assert walk(f"{every}.get", "one").json()["terminalCondition"]["type"] == "Ready"
        assert len(walk_pages(walk, f"{every}.list", key=collection)) == 2
        ended(walk(f"{every}.patch", "one", body={**body, "labels": {"team": "imaging"}}))
        role, permission = "roles/run.viewer", f"run.{collection.lower()}.get"
        walk_policies(walk, every, "one", role=role, permission=permission)
        ended(walk(f"{every}.delete", "other"))
    for collection in ("services", "workerPools"):
        revisions = f"{root}.{collection}.revisions"
        body = {"template": {**bodies[collection][0]["template"], "labels": {"a": "b"}}}
        ended(walk(f"{root}.{collection}.patch", "one", body=body))
        found = walk_pages(walk, f"{revisions}.list", "one", key="revisions")
        first = min(one["name"].rpartition("/")[2] for one in found)
        walk(f"{revisions}.get", "one", first)
        ended(walk(f"{revisions}.delete", "one", first))
    executions = f"{root}.jobs.executions"
    begun = [walk(f"{root}.jobs.run", "one", body={}) for _ in range(2)]
    first = begun[0].json()["metadata"]["name"].rpartition("/")[2]
    assert len(walk_pages(walk, f"{executions}.list", "one", key="executions")) == 2
    (task,) = walk(f"{executions}.tasks.list", "one", first).json()["tasks"]
    walk(f"{executions}.tasks.get", "one", first, task["name"].rpartition("/")[2])
    ended(walk(f"{executions}.cancel", "one", first, body={}))
    assert walk(f"{executions}.get", "one", first).json()["cancelledCount"] == 1
    ended(walk(f"{executions}.delete", "one", first))
    assert walk_pages(walk, f"{root}.operations.list", key="operations")
    name = begun[0].json()["name"].rpartition("/")[2]
    assert walk(f"{root}.operations.wait", name, body={"timeout": "1s"}).json()["done"]
    walk(f"{root}.operations.delete", name)
    for collection in bodies:
        ended(walk(f"{root}.{collection}.delete", "one"))


def walk_projects(walk: Walk) -> None:
    project = walk("projects.get").json()
    assert project["projectId"] == walk.project
    assert project["projectNumber"].isdigit()
    assert walk_pages(walk, "projects.list", key="projects")
    audit = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
    granted = {"role": "roles/healthcare.datasetViewer", "permission": "healthcare.datasets.get"}
    walk_policies(walk, "projects", **granted, auditConfigs=audit)


def walk_services(walk: Walk) -> None:
    kms = "cloudkms.googleapis.com"
    started = [
        walk("services.enable", kms, body={}),
        walk("services.batchEnable", body={"serviceIds": [kms, "pubsub.googleapis.com"]}),
        walk("services.disable", kms, body={}),
    ]
    if walk.version == "v1beta1":
        identity = walk("services.generateServiceIdentity", "pubsub.googleapis.com")
        assert identity.json()["response"]["email"].endswith("gserviceaccount.com")
        started.append(identity)
    else:
        names = [f"projects/{walk.project}/services/{kms}"]
        [one] = walk("services.batchGet", params={"names": names}).json()["services"]
        assert one["state"] == "DISABLED"
    for operation in started:
        name = operation.json()["name"].removeprefix("operations/")
        assert walk("operations.get", name).json() == operation.json()
    assert walk("services.get", kms).json()["state"] == "DISABLED"
    enabled = walk_pages(walk, "services.list", key="services", filter="state:ENABLED")
    assert "pubsub.googleapis.com" in [one["config"]["name"] for one in enabled]
    walk("services.list", params={"pageSize": "200"})


def walk_dataflow(walk: Walk) -> None:
    root = "projects.locations"
    image = container("job")["image"]
    launch = {"jobName": "one", "containerSpec": {"image": image}}
    environment = {"additionalPipelineOptions": ["wait"], "additionalUserLabels": {"team": "x"}}
    launched = []
    for name in ("one", "other"):
        parameter = {**launch, "jobName": name, "environment": environment}
        answer = walk(f"{root}.flexTemplates.launch", body={"launchParameter": parameter})
        launched.append(answer.json()["job"]["id"])
    pages = walk_pages(walk, f"{root}.jobs.list", key="jobs")
    assert {one["id"] for one in pages} == {*launched}
    for id_ in launched:
        body = {"requestedState": "JOB_STATE_CANCELLED"}
        walk(f"{root}.jobs.update", id_, body=body)

        def is_cancelled(id_: str = id_) -> bool:
            job = walk(f"{root}.jobs.get", id_, params={"view": "JOB_VIEW_ALL"}).json()
            return bool(job["currentState"] == "JOB_STATE_CANCELLED")

        wait_until(is_cancelled, f"{id_} is not cancelled")
        walk(f"{root}.jobs.messages.list", id_)
        walk(f"{root}.jobs.getMetrics", id_)


with offline_cloud() as _cloud:
    _services = [*serviceusage(_cloud.service_usage)]
    APIS: Mapping[tuple[str, str], tuple[list[Route], Callable[[Walk], None]]] = {
        ("pubsub", "v1"): ([*pubsub(_cloud.pubsub)], walk_pubsub),
        ("cloudkms", "v1"): ([*kms(_cloud.kms)], walk_kms),
        ("secretmanager", "v1"): ([*secretmanager(_cloud.secret_manager)], walk_secrets),
        ("artifactregistry", "v1"): (
            [*artifactregistry(_cloud.artifact_registry)],
            walk_repositories,
        ),
        ("run", "v2"): ([*run_routes(_cloud.run)], walk_run),
        ("dataflow", "v1b3"): ([*dataflow_routes(_cloud.dataflow)], walk_dataflow),
        ("cloudresourcemanager", "v1"): (
            [*resourcemanager(_cloud.resource_manager)],
            walk_projects,
        ),
        ("serviceusage", "v1"): (_services, walk_services),
        ("serviceusage", "v1beta1"): (_services, walk_services),
    }
"""API, version -> its routes and the walk through them."""
SERVED = [
    pytest.param(api, version, method, id=f"{api}-{version}-{method}")
    for (api, version), (routes, _) in APIS.items()
    for method in schema_walk.served(api, version, routes)
]


EMPTY = {"projects.locations.repositories.dockerImages.list"}
"""Methods whose answers say nothing: the emulator has no registry that images are pushed to."""


@pytest.fixture(scope="module")
def walked(emulator: ServerInfo) -> Callable[[str, str], Walk]:
    """A function that returns the walk of an API: one in each project, created once."""

    @cache
    def walked(api: str, version: str) -> Walk:
        project = f"schemas-{api[:12]}-{version}"
        schema_walk.begin(
            emulator.url,
            project,
            *("pubsub", "cloudkms", "secretmanager", "artifactregistry", "run", "dataflow"),
        )
        segments = {
            **dict.fromkeys(
                ("projectsId", "projectId", "resource", "v1Id1", "v1beta1Id1"), project
            ),
            **dict.fromkeys(("v1Id", "v1beta1Id"), "projects"),
            **dict.fromkeys(("location", "locationsId"), "us-central1"),
        }
        walk = Walk(emulator.url, api, version, project, segments)
        APIS[api, version][1](walk)
        return walk

    return walked


@pytest.mark.parametrize(("api", "version", "method"), SERVED)
def test_answers_are_of_the_schema(
    walked: Callable[[str, str], Walk], api: str, version: str, method: str
) -> None:
    walk = walked(api, version)
    assert walk.answers[method], f"{method} is served, but no walk calls it: add it to one"
    assert walk.faults(method) == []
    assert method in EMPTY or walk.says_something(method), "of all answers, one must say something"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_operations_of_services_end_with_the_message_of_their_version(
    walked: Callable[[str, str], Walk], version: str
) -> None:
    walk = walked("serviceusage", version)
    answers = [answer.json() for answer in walk.answers["operations.get"]]
    assert len(answers) > 2
    for operation in answers:
        assert operation["done"] is True
        package = f"type.googleapis.com/google.api.serviceusage.{version}."
        assert operation["response"]["@type"].startswith(package)
