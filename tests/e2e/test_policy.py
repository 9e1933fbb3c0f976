"""The policy pack under the real engine, on the program and its local stack."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from policy.environment import ENVIRONMENT
from tests.support.labs import ROOT, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

PACK = ROOT / "policy"
POLICIES = ROOT / "docs" / "policies.md"
VIOLATION = re.compile(r"- \[(\w+)\] \[severity: \w+\]\s+([\w-]+)\s+\(\S+: (\S+)\)")
AGENT_ROLES = ("bigquery.admin", "healthcare.datasetAdmin", "healthcare.dicomStoreAdmin",
               "storage.objectAdmin")  # fmt: skip
IN_PRODUCTION = {
    ("production-audit-logs", "healthcare"),
    ("production-customer-keys", "healthcare"),
    ("production-customer-keys", "warehouse"),
    ("production-deletion-protection", "healthcare"),
    ("production-deletion-protection", "warehouse"),
    *(("production-no-lab-roles", f"service-agent-{role}") for role in AGENT_ROLES),
}
"""What production refuses of the lab as it is: the policy and the logical name."""


@pytest.fixture(scope="module", autouse=True)
def pack() -> None:
    ENVIRONMENT.ensure()


def preview(
    stack: Stack, config: Path = PACK / "config.json", verb: tuple[str, ...] = ("preview",)
) -> CompletedProcess[str]:
    """Run the engine with the pack; whether it ends well is the test's question."""
    options = ("--policy-pack", str(PACK), "--policy-pack-config", str(config))
    return stack.pulumi(*verb, "--stack", stack.name, *options, check=False)


def refused(done: CompletedProcess[str]) -> set[tuple[str, str]]:
    """The mandatory violations: policy and logical name."""
    found = VIOLATION.findall(done.stdout + done.stderr)
    return {(policy, name) for level, policy, name in found if level == "mandatory"}


def configured(folder: Path, config: Mapping[str, Any]) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return file


def test_the_lab_as_it_is_passes(stack: Stack) -> None:
    stack.configure(labels={"environment": "lab"})
    done = preview(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert VIOLATION.findall(done.stdout) == []
    assert "gcp-healthcare-dicom@v0.1.0" in done.stdout


def test_a_missing_label_is_mentioned_and_no_more(stack: Stack) -> None:
    stack.configure(labels={})
    done = preview(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("advisory", "required-labels", "warehouse") in VIOLATION.findall(done.stdout)
    assert refused(done) == set()


def test_another_location_is_refused_until_it_is_allowed(stack: Stack, tmp_path: Path) -> None:
    stack.configure(location="europe-west4")
    done = preview(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    done = preview(
        stack, configured(tmp_path, {"allowed-locations": {"locations": ["us", "us-*"]}})
    )
    assert done.returncode != 0
    assert refused(done) == {
        ("allowed-locations", "healthcare"),
        ("allowed-locations", "warehouse"),
    }
    assert 'location "europe-west4" is not allowed; allowed: us, us-*' in done.stdout
    allowed = configured(tmp_path, {"allowed-locations": {"locations": ["europe-west4"]}})
    done = preview(stack, allowed)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_basic_role_is_refused(stack: Stack) -> None:
    stack.configure(access="explicit", serviceAgentRoles=["roles/editor"])
    done = preview(stack)
    assert done.returncode != 0
    assert refused(done) == {("no-primitive-roles", "service-agent-editor")}


@pytest.mark.parametrize("by", ["label", "configuration"])
def test_production_violations_are_found_before_the_agent_is_known(stack: Stack, by: str) -> None:
    environment_label = "production" if by == "label" else "lab"
    stack.configure(labels={"environment": environment_label})
    done = preview(stack, PACK / ("config.json" if by == "label" else "production.json"))
    assert done.returncode != 0
    assert refused(done) == IN_PRODUCTION


def test_production_violations_are_the_same_after_the_update(stack: Stack) -> None:
    stack.configure(labels={"environment": "production"})
    stack.up()
    done = preview(stack)
    assert done.returncode != 0
    assert refused(done) == IN_PRODUCTION


def test_the_production_example_passes_and_comes_up(stack: Stack) -> None:
    [example] = re.findall(r"```yaml\n(config:\n.*?)```", POLICIES.read_text(), re.DOTALL)
    config = yaml.safe_load(example)["config"]
    key = config["gcp-healthcare-dicom:bigqueryKmsKeyName"]
    key = key.replace("my-project-id", stack.project)
    stack.configure(config | {"gcp-healthcare-dicom:bigqueryKmsKeyName": key})
    stack.configure(bigqueryDeleteContents=None)
    _create_key(stack, key)

    done = preview(stack, verb=("up", "--yes"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert refused(done) == set()
    dataset = stack.lab.call("GET", f"bigquery/v2/projects/{stack.project}/datasets/dataset1")
    assert dataset["defaultEncryptionConfiguration"] == {"kmsKeyName": key}
    [binding] = stack.lab.call("GET", f"v1/{key}:getIamPolicy")["bindings"]
    number = stack.outputs()["projectNumber"]
    assert binding["members"] == [
        f"serviceAccount:bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
    ]


def _create_key(stack: Stack, key: str) -> None:
    """Create the key of the tables, which a team makes before its first deployment."""
    services = f"v1/projects/{stack.project}/services:batchEnable"
    stack.lab.call("POST", services, {"serviceIds": ["cloudkms.googleapis.com"]})
    location, _, rest = key.partition("/keyRings/")
    ring, _, name = rest.partition("/cryptoKeys/")
    stack.lab.call("POST", f"v1/{location}/keyRings?keyRingId={ring}")
    keys = f"v1/{location}/keyRings/{ring}/cryptoKeys?cryptoKeyId={name}"
    stack.lab.call("POST", keys, {"purpose": "ENCRYPT_DECRYPT"})


def test_up_makes_nothing_of_what_is_refused(stack: Stack) -> None:
    stack.configure(labels={"environment": "production"})
    done = preview(stack, verb=("up", "--yes"))
    assert done.returncode != 0
    assert refused(done) == IN_PRODUCTION
    assert stack.resources() == {}


def test_up_makes_what_passes(stack: Stack) -> None:
    stack.configure(labels={"environment": "lab"})
    done = preview(stack, verb=("up", "--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(urn.endswith("::healthcare-dicomstore1") for urn in stack.resources())


def test_configuration_of_a_wrong_type_or_name_is_refused(stack: Stack, tmp_path: Path) -> None:
    wrong_type = configured(tmp_path, {"allowed-locations": {"locations": "us"}})
    done = preview(stack, wrong_type)
    assert done.returncode != 0
    assert "locations: Invalid type. Expected: array" in done.stdout + done.stderr
    wrong_name = configured(tmp_path, {"allowed-locations": {"location": ["us"]}})
    done = preview(stack, wrong_name)
    assert done.returncode != 0
    assert 'did you mean "locations"?' in done.stdout
