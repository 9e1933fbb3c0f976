"""The pack's process: the same cases over the wire, and what only the wire has."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2

from policy.evaluate import config_keys
from policy.model import UNKNOWN, ResourcePolicy, StackPolicy
from policy.registry import POLICIES
from tests.unit.policy.builders import bigquery_dataset, dataset, grant, production_store, resource
from tests.unit.policy.case import Case
from tests.unit.policy.general_cases import GENERAL_CASES
from tests.unit.policy.production_cases import PRODUCTION_CASES
from tests.unit.policy.wire import PACK, Pack, running, secret

pytestmark = pytest.mark.sockets

BY_NAME = {policy.name: policy for policy in POLICIES}
CASES = {**GENERAL_CASES, **PRODUCTION_CASES}
Diagnostics = list[analyzer_pb2.AnalyzeDiagnostic]


@pytest.fixture(scope="module")
def pack() -> Iterator[Pack]:
    with running() as pack:
        yield pack


def of(name: str, diagnostics: Diagnostics) -> list[str]:
    """The message of one policy, without the policy's description."""
    what = BY_NAME[name].what
    mine = [item for item in diagnostics if item.policyName == name]
    assert all(item.message.startswith(f"{what}\n") for item in mine)
    return [item.message.splitlines()[1] for item in mine]


def ask(pack: Pack, name: str, case: Case) -> Diagnostics:
    of_each = [item for resource in case.resources for item in pack.analyze(resource)]
    if isinstance(BY_NAME[name], StackPolicy):
        return pack.analyze_stack(case.resources)
    return of_each


@pytest.mark.parametrize("name", CASES)
def test_every_case_says_the_same_over_the_wire(pack: Pack, name: str) -> None:
    for case in CASES[name]:
        pack.configure(name, case.config)
        violations = ask(pack, name, case)
        # The engine's order of resources is not stable; the pack's is by URN.
        assert sorted(of(name, violations)) == sorted(case.says), case.title


def test_describes_every_policy_to_the_engine(pack: Pack) -> None:
    info = pack.stub.GetAnalyzerInfo(empty_pb2.Empty())
    described = json_format.MessageToDict(info)
    assert [item["name"] for item in described["policies"]] == list(BY_NAME)
    for item in described["policies"]:
        policy = BY_NAME[item["name"]]
        is_resource_policy = isinstance(policy, ResourcePolicy)
        assert item["policyType"].endswith("RESOURCE" if is_resource_policy else "STACK")
        assert item.get("enforcementLevel", "ADVISORY") == policy.level.value.upper()
        assert item["severity"] == f"POLICY_SEVERITY_{policy.severity.value.upper()}"
        assert item["description"] == policy.what
        assert item["remediationSteps"] == policy.hint
        properties = item["configSchema"]["properties"]
        defaults = {key: schema["default"] for key, schema in properties.items()}
        assert defaults == {key.name: key.schema["default"] for key in config_keys(policy)}


def test_blames_the_resource_at_its_level_and_severity(pack: Pack) -> None:
    pack.configure("allowed-locations", {"locations": ["us"]})
    culprit = dataset({"location": "europe-west4"})
    [violations] = pack.analyze(culprit)
    assert violations.policyName == "allowed-locations"
    assert violations.policyPackName == "gcp-healthcare-dicom"
    assert violations.enforcementLevel == analyzer_pb2.EnforcementLevel.Value("MANDATORY")
    assert violations.severity == analyzer_pb2.PolicySeverity.Value("POLICY_SEVERITY_HIGH")
    assert violations.urn == culprit.urn


def test_looks_into_secrets(pack: Pack) -> None:
    violations = pack.analyze(grant("roles/browser", secret("allUsers")))
    assert of("no-public-access", violations) == ['member "allUsers" gives access to everyone']


def test_an_unknown_value_ends_no_policy(pack: Pack) -> None:
    violations = pack.analyze(grant(UNKNOWN, UNKNOWN)) + pack.analyze(
        dataset({"location": UNKNOWN})
    )
    assert [item.message for item in violations] == []


def test_inputs_report_what_is_left_out_from_what_is_to_come(pack: Pack) -> None:
    name = "production-customer-keys"
    left_out = dataset(name="left-out")
    to_come = dataset({"encryptionSpec": {"kmsKeyName": UNKNOWN}}, name="to-come")
    for inputs in (left_out, to_come):
        pack.analyze(inputs)
    # A preview's outputs are alike: the cloud may fill in a key of its own.
    hazy = {"encryptionSpec": UNKNOWN}
    outputs = [replace(item, props={**item.props, **hazy}) for item in (left_out, to_come)]
    violations = pack.analyze_stack([production_store(), *outputs])
    blamed = [item.urn for item in violations if item.policyName == name]
    assert blamed == [left_out.urn]


def test_the_order_of_resources_changes_no_word(pack: Pack) -> None:
    resources = [
        resource("gcp:storage/bucket:Bucket", {"labels": {"environment": "prod"}}, name=name)
        for name in ("c", "a", "b")
    ] + [dataset(), bigquery_dataset({"location": "eu"})]
    one, other = pack.analyze_stack(resources), pack.analyze_stack(resources[::-1])
    assert [item.message for item in one] == [item.message for item in other]
    assert 'the label environment of "a" says "prod"' in one[-1].message


def test_runs_from_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "0.1.0"
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    with running(folder) as pack:
        pack.configure("allowed-locations", {"locations": ["us"]})
        violations = pack.analyze(dataset({"location": "eu"}))
    assert of("allowed-locations", violations) == ['location "eu" is not allowed; allowed: us']


def test_the_shipped_configuration_names_policies_and_keys_that_exist() -> None:
    for file in PACK.glob("*.json"):
        for name, given in json.loads(file.read_text()).items():
            known = {key.name for key in config_keys(BY_NAME[name])} | {"enforcementLevel"}
            assert set(given) <= known, f"{file.name}: {name}"
