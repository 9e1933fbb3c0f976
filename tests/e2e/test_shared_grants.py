"""Two stacks of one project, and grants that were there before: neither takes what others hold."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.labs import Lab, Stack
from tests.support.teardown import TeardownFixture

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

ANNA, TRIAL = "user:anna@example.org", "group:trial@example.org"
VIEWER, JOB_USER, NURSE = "roles/viewer", "roles/bigquery.jobUser", "roles/healthcare.dicomViewer"
BY_HAND = {"role": VIEWER, "members": ["user:Anna@example.org"]}
SHARED = {"role": JOB_USER, "members": [TRIAL]}
NAMES = {"dataset": "other", "bigqueryDataset": "other"}
MARK = "gcp-healthcare-dicom:index:ExistingGrant"


def enable(stack: Stack, *services: str) -> None:
    for service in services:
        path = f"v1/projects/{stack.project}/services/{service}.googleapis.com:enable"
        stack.lab.call("POST", path, {})


def policy(stack: Stack) -> dict[str, Any]:
    return stack.lab.call("POST", f"v1/projects/{stack.project}:getIamPolicy", {})


def grants(stack: Stack) -> set[tuple[str, str]]:
    """The grants in the policy of the project."""
    bindings = policy(stack)["bindings"]
    return {(each["role"], member) for each in bindings for member in each["members"]}


def retained(stack: Stack) -> set[str]:
    """The logical names of the grants that the engine would forget, not delete."""
    resources = stack.resources().items()
    return {urn.rpartition("::")[2] for urn, one in resources if one.get("retainOnDelete")}


def marks(stack: Stack) -> set[str]:
    return {urn.rpartition("::")[2] for urn in stack.resources() if f"::{MARK}::" in urn}


def prepare(stack: Stack) -> str:
    """Run what `make up` runs before the update; return the output."""
    flags = ("--stack", stack.name, "--cwd", str(stack.lab.program))
    done = stack.lab.script("recover", *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_line_and_a_stack_go_and_what_others_hold_stays(stack: Stack) -> None:
    enable(stack, "cloudresourcemanager")
    bindings = [*policy(stack)["bindings"], BY_HAND]
    stack.lab.call(
        "POST", f"v1/projects/{stack.project}:setIamPolicy", {"policy": {"bindings": bindings}}
    )
    of_a = [{"role": VIEWER, "members": [ANNA]}, SHARED, {"role": NURSE, "members": [ANNA]}]
    stack.configure(projectMembers=of_a, auditLogs=["DATA_READ"])
    previewed = stack.preview()
    stack.up()
    other = stack.lab.stack(f"{stack.name}-b", stack.project, **NAMES)
    other.configure(projectMembers=[SHARED], auditLogs=["DATA_READ"])
    other.up()
    held = grants(stack)

    # The preview names what existed, and so does the state.
    assert f"{MARK.rpartition(':')[2]} project-members-viewer-{ANNA} create" in previewed
    assert marks(stack) == retained(stack) == {f"project-members-viewer-{ANNA}"}
    assert {f"project-members-bigquery.jobUser-{TRIAL}", "audit-logs"} < marks(other)
    assert marks(other) == retained(other)
    assert stack.plan() == other.plan() == {}

    # Lines go from the file of the first stack: only the grant that is its own goes.
    stack.configure(projectMembers=None, auditLogs=None)
    prepared = prepare(stack)
    assert f"Other stacks hold these too ({other.name})" in prepared
    assert f"{stack.project}/{JOB_USER}/{TRIAL}" in prepared
    assert NURSE not in prepared
    assert f"project-members-bigquery.jobUser-{TRIAL} deleted (0.00s)[retain]" in _without_times(
        stack.up()
    )
    assert grants(stack) == held - {(NURSE, ANNA)}
    assert policy(stack)["auditConfigs"][0]["auditLogConfigs"] == [{"logType": "DATA_READ"}]
    assert retained(stack) == set()
    assert other.plan() == {}

    # The first stack goes, and then the second, by Pulumi alone.
    done = TeardownFixture(stack).run(0)
    assert f"Left, because stacks hold them too ({other.name}):" in done.stderr
    assert stack.resources() == {}
    assert grants(stack) == held - {(NURSE, ANNA)}
    listed = TeardownFixture(other).run_json(0, "--dry-run")["left"]
    whys = {each["why"] for each in listed if each["kind"] in ("grant", "audit logging")}
    assert whys == {"it existed before the stack"}
    other.change("destroy")
    assert grants(stack) == held - {(NURSE, ANNA)}


def test_grants_on_buckets_keys_datasets_and_topics_are_kept_too(
    lab: Lab, new_stack: Callable[[], Stack]
) -> None:
    first = new_stack()
    project = first.project
    enable(first, "cloudkms", "storage", "bigquery", "pubsub", "cloudresourcemanager")
    ring = f"projects/{project}/locations/us-central1/keyRings"
    lab.call("POST", f"v1/{ring}?keyRingId=r", {})
    key = {"purpose": "ENCRYPT_DECRYPT"}
    lab.call("POST", f"v1/{ring}/r/cryptoKeys?cryptoKeyId=k", key)
    lab.call("PUT", f"v1/projects/{project}/topics/theirs", {})
    bucket = f"{project}-bucket"
    lab.call("POST", f"storage/v1/b?project={project}", {"name": bucket})
    reference = {"datasetReference": {"projectId": project, "datasetId": "theirs"}}
    lab.call("POST", TeardownFixture(first).bigquery, reference)
    table = f"bq://{project}.theirs.ct"
    topic = f"projects/{project}/topics/theirs"
    store = {
        "name": "ct",
        "notificationConfig": {"pubsubTopic": topic},
        "streamConfigs": [{"bigqueryDestination": {"tableUri": table}}],
    }
    both = {
        "access": "least-privilege",
        "importBuckets": [bucket],
        "encryption": {"kmsKeyName": f"{ring}/r/cryptoKeys/k"},
        "dicomStores": [store],
        "fhirStores": [],
        "hl7v2Stores": [],
    }
    first.configure(**both)
    first.up()
    second = lab.stack(f"{first.name}-b", project, **both, **NAMES)
    second.up()

    assert marks(first) == set()
    assert marks(second) == {
        "healthcare-key-healthcare",
        f"service-agent-access-import-{bucket}",
        f"service-agent-access-bigquery-{project}.theirs",
        "service-agent-bigquery.jobUser",
        f"topic-{topic.replace('/', '-')}-healthcare",
    }
    second.change("destroy")
    assert first.plan() == {}
    assert "deleted" not in first.change("refresh", "--skip-preview")


def test_a_policy_that_cannot_be_read_is_named(stack: Stack) -> None:
    """The grant belongs to the stack then."""
    grants = [{"role": VIEWER, "members": [ANNA]}]
    stores: dict[str, Any] = {"dicomStores": [], "fhirStores": [], "hl7v2Stores": []}
    stack.configure(access="least-privilege", importBuckets=["no-such-bucket"], **stores)
    assert "there is no bucket no-such-bucket. Create it" in stack.preview()
    names = {"access": "explicit", "serviceAgentRoles": [], "projectMembers": grants}
    stack.configure(**names, importBuckets=None)
    method = "cloudresourcemanager.projects.getIamPolicy"
    fault = {"method": method, "status": 403, "message": "not yours to read", "times": 1}
    stack.lab.call("POST", "_emulator/faults", fault)
    try:
        output = stack.up()
    finally:
        stack.lab.call("DELETE", "_emulator/faults")
    warning = f"project-members-viewer-{ANNA}: the policy can't be read, so it is not known whether"
    assert warning in output
    assert "not yours to read" in output
    assert retained(stack) == marks(stack) == set()
    assert stack.plan() == {}


def _without_times(output: str) -> str:
    """Return the output of an update with every duration as 0.00 s."""
    return re.sub(r"\(\d+\.\d+s\)", "(0.00s)", output)
