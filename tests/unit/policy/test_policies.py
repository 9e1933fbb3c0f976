"""Every policy, judged on what passes and on what fails."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from policy.evaluate import Violation, evaluate_resource, evaluate_stack
from policy.model import UNKNOWN, ResourcePolicy, StackPolicy
from policy.registry import POLICIES
from policy.rules.access import LAB_ROLES as REFUSED_ROLES
from program.service_agent_grants import LAB_ROLES
from tests.unit.policy.adapter_cases import ADAPTER_CASES
from tests.unit.policy.balancer_cases import BALANCER_CASES
from tests.unit.policy.builders import grant, production_store
from tests.unit.policy.case import Case
from tests.unit.policy.gateway_cases import GATEWAY_CASES
from tests.unit.policy.general_cases import GENERAL_CASES
from tests.unit.policy.production_cases import IDENTITY, PRODUCTION_CASES

CASES = {
    **GENERAL_CASES,
    **ADAPTER_CASES,
    **GATEWAY_CASES,
    **BALANCER_CASES,
    **PRODUCTION_CASES,
}
BY_NAME = {policy.name: policy for policy in POLICIES}
ALL = [(name, case) for name, cases in CASES.items() for case in cases]
PASSING = [(name, case) for name, case in ALL if not case.says]


def each(cases: list[tuple[str, Case]]) -> pytest.MarkDecorator:
    ids = [f"{name}: {case.title}" for name, case in cases]
    return pytest.mark.parametrize(("name", "case"), cases, ids=ids)


def judge(name: str, case: Case) -> list[Violation]:
    policy = BY_NAME[name]
    if isinstance(policy, ResourcePolicy):
        return [
            violation
            for resource in case.resources
            for violation in evaluate_resource(policy, resource, case.config)
        ]
    assert isinstance(policy, StackPolicy)
    return evaluate_stack(policy, case.resources, case.config)


@each(ALL)
def test_says_what_is_wrong_and_nothing_else(name: str, case: Case) -> None:
    violations = judge(name, case)
    assert [violation.message.splitlines()[0] for violation in violations] == list(case.says)


@pytest.mark.parametrize("name", BY_NAME)
def test_every_policy_has_a_case_that_passes_and_one_that_fails(name: str) -> None:
    cases = CASES[name]
    assert any(not case.says for case in cases)
    assert any(case.says for case in cases)


def test_every_case_belongs_to_a_policy() -> None:
    assert set(CASES) == set(BY_NAME)
    assert len(BY_NAME) == len(POLICIES), "two policies share a name"


@each(ALL)
def test_violations_name_culprit_reason_and_fix(name: str, case: Case) -> None:
    urns = {resource.urn for resource in case.resources}
    for violation in judge(name, case):
        assert violation.urn in urns
        assert f"\nWhy: {BY_NAME[name].why}\nFix: " in violation.message
        assert re.search(r"Fix: [A-Z].+\.$", violation.message)


def with_one_value_unknown(value: Any) -> Iterator[Any]:
    """All copies of a value in which it, or one value inside it, is unknown."""
    yield UNKNOWN
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: other} for other in with_one_value_unknown(item))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            for other in with_one_value_unknown(item):
                yield [*value[:at], other, *value[at + 1 :]]


@each(PASSING)
def test_what_a_preview_cannot_know_is_no_false_alarm(name: str, case: Case) -> None:
    for at, resource in enumerate(case.resources):
        for key, value in resource.props.items():
            for other in with_one_value_unknown(value):
                hazy = replace(resource, props={**resource.props, key: other})
                stack = [*case.resources[:at], hazy, *case.resources[at + 1 :]]
                assert judge(name, replace(case, resources=stack)) == []


def test_a_member_made_from_the_agent_is_taken_for_it_only_while_unknown() -> None:
    admin = "roles/bigquery.admin"
    sources = {"member": [IDENTITY]}
    known = [production_store(), grant(admin, "user:a@example.com", sources=sources)]
    unknown = [production_store(), grant(admin, UNKNOWN, sources=sources)]
    assert judge("production-no-lab-roles", Case("known", known)) == []
    assert len(judge("production-no-lab-roles", Case("unknown", unknown))) == 1


def test_the_lab_roles_are_those_of_the_components() -> None:
    assert set(REFUSED_ROLES) == set(LAB_ROLES)


@pytest.mark.parametrize("policy", POLICIES, ids=BY_NAME)
def test_texts_are_sentences_and_names_are_kebab_case(policy: object) -> None:
    assert isinstance(policy, ResourcePolicy | StackPolicy)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", policy.name)
    for text in (policy.what, policy.why, policy.hint, *(key.text for key in policy.config)):
        assert re.fullmatch(r"[^\s].*\.", text), text
