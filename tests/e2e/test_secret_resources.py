"""Secrets, a repository of images and the account that reads them, through the real engine."""

import json
from pathlib import Path

import pytest

from tests.support.labs import Lab
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
STACK = "local-secrets"
_PROGRAM = """
import pulumi
from pulumi_gcp import artifactregistry, projects, secretmanager, serviceaccount

config = pulumi.Config()
services = [
    projects.Service(name, service=f"{name}.googleapis.com")
    for name in ("secretmanager", "artifactregistry")
]
enabled = pulumi.ResourceOptions(depends_on=services)
account = serviceaccount.Account("adapter", account_id="adapter", display_name="Adapter")
secret = secretmanager.Secret(
    "tls",
    secret_id="tls",
    replication={"auto": {}},
    labels={"env": config.get("env") or "lab"},
    opts=enabled,
)
version = secretmanager.SecretVersion(
    "key", secret=secret.id, secret_data=config.require("key")
)
secretmanager.SecretIamMember(
    "reader",
    secret_id=secret.secret_id,
    role="roles/secretmanager.secretAccessor",
    member=account.member,
)
images = artifactregistry.Repository(
    "images", repository_id="images", location="europe-west4", format="DOCKER", opts=enabled
)
artifactregistry.RepositoryIamMember(
    "puller",
    location=images.location,
    repository=images.name,
    role="roles/artifactregistry.reader",
    member=account.member,
)
serviceaccount.IAMMember(
    "user",
    service_account_id=account.name,
    role="roles/iam.serviceAccountTokenCreator",
    member="user:anna@example.com",
)
pulumi.export("version", version.name)
"""
MEMBER = f"serviceAccount:adapter@{STACK}.iam.gserviceaccount.com"
REPOSITORY = f"v1/projects/{STACK}/locations/europe-west4/repositories/images"


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> Program:
    found = Program.create(lab, tmp_path / STACK, "secrets", _PROGRAM, STACK)
    found.configure({"secrets:key": "first-payload"})
    return found


def test_a_secret_and_who_reads_it(lab: Lab, program: Program) -> None:
    program.change("up")

    assert program.plan() == {}
    program.change("refresh", "--expect-no-changes")
    secret = f"v1/projects/{STACK}/secrets/tls"
    accessed = lab.call("GET", f"{secret}/versions/latest:access")
    assert accessed["payload"]["data"] == "Zmlyc3QtcGF5bG9hZA=="
    assert lab.call("GET", f"{secret}:getIamPolicy")["bindings"][0]["members"] == [MEMBER]
    assert lab.call("GET", f"{REPOSITORY}:getIamPolicy")["bindings"][0]["members"] == [MEMBER]
    assert "first-payload" not in json.dumps(program.deployment())

    program.configure({"secrets:env": "test", "secrets:key": "second-payload"})
    assert program.plan() == {"key": "replace", "tls": "update"}
    program.change("up")
    versions = lab.call("GET", f"{secret}/versions")["versions"]
    assert [one["state"] for one in versions] == ["ENABLED", "DESTROYED"]

    program.change("destroy")
    assert lab.call("GET", f"v1/projects/{STACK}/secrets") == {}
    assert lab.call("GET", f"v1/projects/{STACK}/serviceAccounts") == {}
