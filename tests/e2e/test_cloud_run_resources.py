"""A service, a job and a worker pool of Cloud Run, with grants on them, through the real engine."""

from pathlib import Path

import pytest

from tests.support.labs import Lab
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
STACK = "local-run"
_PROGRAM = """
import pulumi
from pulumi_gcp import cloudrunv2, projects, serviceaccount

config = pulumi.Config()
enabled = pulumi.ResourceOptions(
    depends_on=projects.Service("run", service="run.googleapis.com")
)
account = serviceaccount.Account("adapter", account_id="adapter")
settings = {"location": "europe-west4", "deletion_protection": False}
image = "us-docker.pkg.dev/cloudrun/container/hello"
service = cloudrunv2.Service(
    "front",
    **settings,
    name="front",
    labels={"env": config.get("env") or "lab"},
    template={
        "containers": [
            {
                "image": image,
                "envs": [{"name": "MODE", "value": config.get("mode") or "one"}],
                "resources": {"limits": {"cpu": "1", "memory": "256Mi"}},
            }
        ],
        "service_account": account.email,
        "max_instance_request_concurrency": 10,
    },
    opts=enabled,
)
job = cloudrunv2.Job(
    "sweep",
    **settings,
    name="sweep",
    template={"template": {"containers": [{"image": image}], "max_retries": 0}},
    opts=enabled,
)
pool = cloudrunv2.WorkerPool(
    "sender",
    **settings,
    name="sender",
    template={"containers": [{"image": image, "args": ["--outgoing"]}]},
    scaling={"manual_instance_count": 1},
    opts=enabled,
)
for type_, resource in (("Service", service), ("Job", job), ("WorkerPool", pool)):
    getattr(cloudrunv2, f"{type_}IamMember")(
        f"{type_}-viewer",
        location=resource.location,
        name=resource.name,
        role="roles/run.viewer",
        member=account.member,
    )
pulumi.export("uri", service.uri)
"""
PARENT = f"v2/projects/{STACK}/locations/europe-west4"
MEMBER = f"serviceAccount:adapter@{STACK}.iam.gserviceaccount.com"
COLLECTIONS = ("services", "jobs", "workerPools")


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> Program:
    return Program.create(lab, tmp_path / STACK, "run", _PROGRAM, STACK)


def test_resources_of_cloud_run_come_change_and_go(lab: Lab, program: Program) -> None:
    program.change("up")

    assert program.plan() == {}
    program.change("refresh", "--expect-no-changes")
    for path in ("services/front", "jobs/sweep", "workerPools/sender"):
        bindings = lab.call("GET", f"{PARENT}/{path}:getIamPolicy")["bindings"]
        assert bindings == [{"role": "roles/run.viewer", "members": [MEMBER]}]
    first = lab.call("GET", f"{PARENT}/services/front")
    assert first["template"]["serviceAccount"] == MEMBER.partition(":")[2]
    assert "--image hello=MODULE" in first["terminalCondition"]["message"]
    template = lab.call("GET", f"{PARENT}/jobs/sweep")["template"]["template"]
    assert template["maxRetries"] == 0

    program.configure({"run:mode": "two", "run:env": "test"})
    assert program.plan() == {"front": "update"}
    program.change("up")
    second = lab.call("GET", f"{PARENT}/services/front")
    assert second["labels"]["env"] == "test"
    assert second["latestReadyRevision"] != first["latestReadyRevision"]
    assert second["uri"] == first["uri"]
    assert program.plan() == {}

    program.change("destroy")
    for collection in COLLECTIONS:
        assert lab.call("GET", f"{PARENT}/{collection}") == {}
