"""Worker pools of Cloud Run, secrets of containers, operations, and access to services."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from tests.support.run_api import RunApi, answer
from tests.support.run_programs import container
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

Begin = Callable[..., tuple[Cloud, RunApi]]
NAME = "projects/local-project/locations/europe-west4"
ACCOUNT = "front@local-project.iam.gserviceaccount.com"


def pool(*args: str, **fields: Any) -> dict[str, Any]:
    return {"template": {"containers": [container("job", *args)]}, **fields}


def lines(cloud: Cloud) -> list[str]:
    found = cloud.logging.entries.page(["local-project"], None, 100)
    return [entry["textPayload"] for _, entry in found if "textPayload" in entry]


def test_a_worker_pool_runs_until_it_is_deleted(begin: Begin) -> None:
    cloud, run = begin()
    created = run.done("POST", "workerPools", pool("wait"), workerPoolId="sender")
    assert created["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    assert created["instanceSplitStatuses"] == [
        {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}
    ]
    wait_until(lambda: lines(cloud) == ["task 0 attempt 0 of sender"], "it does not run")
    assert cloud.containers.names() == [created["latestReadyRevision"]]
    run.done("DELETE", "workerPools/sender")
    assert cloud.containers.names() == []


def test_a_worker_pool_that_ends_is_started_again(begin: Begin) -> None:
    cloud, run = begin()
    run.done("POST", "workerPools", pool("0"), workerPoolId="sender")
    wait_until(lambda: len(lines(cloud)) > 2, "it is not started again")


def test_a_worker_pool_of_no_instances_runs_nothing(begin: Begin) -> None:
    cloud, run = begin()
    body = pool("wait", scaling={"manualInstanceCount": 0})
    created = run.done("POST", "workerPools", body, workerPoolId="sender")
    assert created["scaling"] == {"manualInstanceCount": 0}
    assert cloud.containers.names() == []
    one = {"scaling": {"manualInstanceCount": 1}}
    run.done("PATCH", "workerPools/sender", one, updateMask="scaling")
    wait_until(lambda: lines(cloud), "it does not run")


def grant(cloud: Cloud, resource: str, role: str, member: str) -> None:
    cloud.iam.policies.set(resource, {"bindings": [{"role": role, "members": [member]}]})


def secret(cloud: Cloud) -> str:
    number = cloud.projects.number_of("local-project")
    name = f"projects/{number}/secrets/token"
    cloud.service_usage.services.enable("local-project", ["secretmanager.googleapis.com"])
    cloud.secret_manager.secrets.create(name, {"replication": {"automatic": {}}})
    cloud.secret_manager.versions.add(name, b"hidden", {})
    return name


def account(cloud: Cloud) -> None:
    cloud.iam_api.accounts.add(
        {
            "name": f"projects/local-project/serviceAccounts/{ACCOUNT}",
            "projectId": "local-project",
            "uniqueId": "7",
            "email": ACCOUNT,
        }
    )


def with_secret() -> dict[str, Any]:
    reference = {"secretKeyRef": {"secret": "token", "version": "latest"}}
    env = [{"name": "SECRET", "valueSource": reference}]
    return {"template": {"containers": [container("web", env=env)], "serviceAccount": ACCOUNT}}


def test_a_container_gets_the_secrets_that_its_account_may_access(begin: Begin) -> None:
    cloud, run = begin()
    account(cloud)
    secret(cloud)
    failed = run.ended(run.call("POST", "services", with_secret(), serviceId="front"))
    assert "Permission denied on secret" in failed["error"]["message"]
    reason = run.call("GET", "services/front")["terminalCondition"]["reason"]
    assert reason == "SECRETS_ACCESS_CHECK_FAILED"
    role = "roles/secretmanager.secretAccessor"
    grant(cloud, "projects/local-project/secrets/token", role, f"serviceAccount:{ACCOUNT}")
    body = with_secret()
    body["template"]["labels"] = {"try": "second"}
    service = run.done("PATCH", "services/front", body)
    assert answer(service).json()["SECRET"] == "hidden"


def test_a_volume_of_a_secret_is_a_file(begin: Begin, tmp_path: Any) -> None:
    cloud, run = begin()
    account(cloud)
    secret(cloud)
    role = "roles/secretmanager.secretAccessor"
    grant(cloud, "projects/local-project/secrets/token", role, f"serviceAccount:{ACCOUNT}")
    items = [{"path": "deep/key", "version": "1"}]
    mounts = [{"name": "tls", "mountPath": "/tls"}]
    env = [{"name": "GREETING", "value": "/tls/deep/key"}]
    template = {
        "containers": [container("web", env=env, volumeMounts=mounts)],
        "volumes": [{"name": "tls", "secret": {"secret": "token", "items": items}}],
        "serviceAccount": ACCOUNT,
    }
    service = run.done("POST", "services", {"template": template}, serviceId="front")
    path = tmp_path.__class__(answer(service).json()["GREETING"])
    assert path.read_text() == "hidden"
    run.done("DELETE", "services/front")
    assert not path.exists()


def oidc(email: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"email": email}).encode()).decode()
    return f"Bearer head.{claims.rstrip('=')}.signature"


def test_roles_decide_who_may_call_a_service(begin: Begin) -> None:
    cloud, run = begin(enforce_iam=True)
    body = {"template": {"containers": [container("web")]}}
    service = run.done("POST", "services", body, serviceId="front")
    caller = {"authorization": oidc(ACCOUNT)}
    assert answer(service).status_code == 403
    assert answer(service, headers=caller).status_code == 403
    owner = {"authorization": "Bearer local"}
    assert answer(service, headers=owner).status_code == 200
    grant(cloud, service["name"], "roles/run.invoker", f"serviceAccount:{ACCOUNT}")
    assert answer(service, headers=caller).status_code == 200
    assert answer(service).status_code == 403
    grant(cloud, service["name"], "roles/run.invoker", "allUsers")
    assert answer(service).status_code == 200


def test_operations_are_listed_waited_for_and_forgotten(run: RunApi) -> None:
    begun = run.call("POST", "workerPools", pool("wait"), workerPoolId="sender")
    path = begun["name"].removeprefix(f"{NAME}/")
    assert run.call("POST", f"{path}:wait", {"timeout": "60s"})["done"]
    (listed,) = run.call("GET", "operations")["operations"]
    assert listed == run.call("GET", path)
    run.call("DELETE", path)
    assert run.refused("GET", path)["code"] == 404


def test_a_policy_is_deleted_with_its_resource(begin: Begin) -> None:
    cloud, run = begin()
    run.done("POST", "workerPools", pool("wait"), workerPoolId="sender")
    policy = {"bindings": [{"role": "roles/run.viewer", "members": ["user:a@example.com"]}]}
    run.call("POST", "workerPools/sender:setIamPolicy", {"policy": policy})
    got = run.call("GET", "workerPools/sender:getIamPolicy")
    assert got["bindings"] == policy["bindings"]
    run.done("DELETE", "workerPools/sender")
    assert not cloud.iam.policies.is_set(f"{NAME}/workerPools/sender")
