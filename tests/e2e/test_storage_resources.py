"""A bucket, who may use it, and what a project logs, through the real engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.labs import Lab
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
STACK = "local-buckets"
_PROGRAM = """
import pulumi
from pulumi_gcp import projects, storage

config = pulumi.Config()
project = pulumi.Config("gcp").require("project")
images = storage.Bucket(
    "images",
    name="local-buckets-images",
    location="europe-west4",
    storage_class="NEARLINE",
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    labels={"env": config.get("env") or "lab"},
)
for member in ("reader", "other"):
    storage.BucketIAMMember(
        member,
        bucket=images.name,
        role="roles/storage.objectViewer",
        member=f"user:{member}@example.com",
    )
projects.IAMAuditConfig(
    "audit",
    project=project,
    service="healthcare.googleapis.com",
    audit_log_configs=[{"log_type": item} for item in ("DATA_READ", "DATA_WRITE")],
)
"""
_OTHERS = {"service": "allServices", "auditLogConfigs": [{"logType": "ADMIN_READ"}]}


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> Program:
    return Program.create(lab, tmp_path / STACK, "buckets", _PROGRAM, STACK)


@pytest.fixture
def audit(lab: Lab) -> Callable[[], Any]:
    """The project's audit configuration; it covers all services before the stack exists."""
    url = f"v1/projects/{STACK}"
    body = {"policy": {"auditConfigs": [_OTHERS]}, "updateMask": "auditConfigs"}
    lab.call("POST", f"{url}:setIamPolicy", body)
    return lambda: lab.call("POST", f"{url}:getIamPolicy", {})["auditConfigs"]


def test_a_bucket_and_audit_logs(lab: Lab, program: Program, audit: Callable[[], Any]) -> None:
    program.change("up")

    assert program.plan() == {}
    program.change("refresh", "--expect-no-changes")
    bucket = lab.call("GET", "storage/v1/b/local-buckets-images")
    assert (bucket["location"], bucket["storageClass"]) == ("EUROPE-WEST4", "NEARLINE")
    assert bucket["labels"]["env"] == "lab"
    policy = lab.call("GET", "storage/v1/b/local-buckets-images/iam")
    [members] = [
        one["members"] for one in policy["bindings"] if one["role"] == "roles/storage.objectViewer"
    ]
    assert set(members) == {"user:reader@example.com", "user:other@example.com"}
    healthcare = {
        "service": "healthcare.googleapis.com",
        "auditLogConfigs": [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}],
    }
    assert audit() == [_OTHERS, healthcare]

    program.configure({"buckets:env": "test"})
    assert program.plan() == {"images": "update"}
    program.change("up")
    assert lab.call("GET", "storage/v1/b/local-buckets-images")["labels"]["env"] == "test"

    program.change("destroy")
    assert audit() == [_OTHERS]
    listed = lab.call("GET", f"storage/v1/b?project={STACK}").get("items", [])
    assert "local-buckets-images" not in [one["name"] for one in listed]
