"""Configuration, exceptions and the words of a violation."""

import pytest

from policy.evaluate import config_keys, evaluate_resource, evaluate_stack
from policy.model import ResourcePolicy, StackPolicy
from policy.registry import POLICIES
from tests.unit.policy.builders import STACK_TYPE, bigquery_dataset, dataset, grant, resource

BY_NAME = {policy.name: policy for policy in POLICIES}


def resource_policy(name: str) -> ResourcePolicy:
    policy = BY_NAME[name]
    assert isinstance(policy, ResourcePolicy)
    return policy


def stack_policy(name: str) -> StackPolicy:
    policy = BY_NAME[name]
    assert isinstance(policy, StackPolicy)
    return policy


def test_a_violation_says_what_why_and_how_to_fix_it() -> None:
    policy = resource_policy("allowed-locations")
    culprit = dataset({"location": "eu"})
    [violation] = evaluate_resource(policy, culprit, {"locations": ["us", "us-*"]})
    assert violation.urn == culprit.urn
    assert violation.message == (
        'location "eu" is not allowed; allowed: us, us-*\n'
        "Why: Where medical data is kept is a matter of law, and a move means copying all of it.\n"
        "Fix: Choose an allowed location, or have this one added to the policy's list."
    )


def test_the_hint_names_the_file_and_key_of_the_stacks_own_list() -> None:
    given = {
        "locations": ["us"],
        "source": "gcp-healthcare-dicom:allowedLocations in Pulumi.a.yaml",
    }
    culprit = dataset({"location": "eu"})
    [violation] = evaluate_resource(resource_policy("allowed-locations"), culprit, given)
    assert violation.message.endswith(
        "Fix: Choose an allowed location, or add this one to "
        "gcp-healthcare-dicom:allowedLocations in Pulumi.a.yaml."
    )


def test_a_finding_may_have_its_own_hint() -> None:
    binding = resource("gcp:projects/iAMBinding:IAMBinding")
    [violation] = evaluate_resource(resource_policy("no-authoritative-project-iam"), binding, {})
    assert "Fix: Use an IAMMember for each member and role" in violation.message


@pytest.mark.parametrize("pattern", ["warehouse", "ware*", "?arehouse"])
def test_exceptions_are_left_alone(pattern: str) -> None:
    policy = resource_policy("required-labels")
    assert len(evaluate_resource(policy, bigquery_dataset(), {})) == 1
    assert evaluate_resource(policy, bigquery_dataset(), {"except": ["other", pattern]}) == []


def test_exceptions_hold_in_stack_policies_too() -> None:
    resources = [dataset(), bigquery_dataset({"location": "EU"})]
    assert len(evaluate_stack(stack_policy("one-location"), resources, {})) == 1
    assert evaluate_stack(stack_policy("one-location"), resources, {"except": ["warehouse"]}) == []


def test_a_wrong_key_is_reported_once_a_stack_with_a_suggestion() -> None:
    policy = resource_policy("allowed-locations")
    given = {"location": ["eu"]}
    assert evaluate_resource(policy, grant("roles/browser"), given) == []
    [violation] = evaluate_resource(policy, resource(STACK_TYPE), given)
    assert violation.message.splitlines()[0] == (
        'configuration: "location" is not a key of allowed-locations; did you mean "locations"?'
    )
    assert violation.message.endswith(
        "Fix: Use one of: locations, source, except, enforcementLevel."
    )


def test_a_wrong_key_of_a_stack_policy_blames_the_stack() -> None:
    [violation] = evaluate_stack(stack_policy("one-location"), [], {"zzz": 1})
    assert violation.urn == ""
    assert violation.message.startswith('configuration: "zzz" is not a key of one-location\n')


@pytest.mark.parametrize("policy", POLICIES, ids=BY_NAME)
def test_every_key_has_a_type_and_a_default_of_it(policy: ResourcePolicy | StackPolicy) -> None:
    types = {"array": list, "string": str}
    for key in config_keys(policy):
        assert isinstance(key.schema["default"], types[key.schema["type"]])
