"""Applying a policy: its configuration, its exceptions, and the words of a violation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from policy.model import Config, ConfigKey, Finding, Policy, Resource, ResourcePolicy, StackPolicy

STACK_TYPE = "pulumi:pulumi:Stack"
"""The resource that stands for the stack as a whole: every stack has exactly one."""

EXCEPT = ConfigKey(
    "except",
    {"type": "array", "items": {"type": "string"}, "default": []},
    "Logical names of resources that the policy leaves alone; `*` and `?` are wildcards.",
)
"""A key that every policy has."""


@dataclass(frozen=True)
class Violation:
    """A violation, as it is reported to Pulumi.

    Attributes:
        message: What is wrong, why it matters, what to do.
        urn: The culprit; empty where it is the stack as a whole.
    """

    message: str
    urn: str


def config_keys(policy: Policy) -> tuple[ConfigKey, ...]:
    """All configuration keys of a policy."""
    return (*policy.config, EXCEPT)


def evaluate_resource(
    policy: ResourcePolicy, resource: Resource, given: Mapping[str, Any]
) -> list[Violation]:
    """Judge one resource.

    Args:
        policy: The policy.
        resource: The resource, with its inputs.
        given: The policy's configuration; keys left out have their defaults.
    """
    config = _with_defaults(policy, given)
    findings = [*policy.check(resource, config)]
    if resource.type == STACK_TYPE:  # Once a stack, not once a resource.
        findings += _unknown_keys(policy, given)
    return list(_violations(policy, config, findings, resource))


def evaluate_stack(
    policy: StackPolicy, resources: Sequence[Resource], given: Mapping[str, Any]
) -> list[Violation]:
    """Judge all resources of a stack together.

    Args:
        policy: The policy.
        resources: The resources, with their outputs.
        given: The policy's configuration; keys left out have their defaults.
    """
    config = _with_defaults(policy, given)
    findings = [*policy.check(resources, config), *_unknown_keys(policy, given)]
    return list(_violations(policy, config, findings, None))


def _with_defaults(policy: Policy, given: Mapping[str, Any]) -> Config:
    defaults = {key.name: key.schema["default"] for key in config_keys(policy)}
    return {**defaults, **given}


def _violations(
    policy: Policy, config: Config, findings: Iterable[Finding], checked: Resource | None
) -> Iterator[Violation]:
    for finding in findings:
        culprit = finding.resource or checked
        if culprit is None or not _excepted(culprit, config):
            message = f"{finding.text}\nWhy: {policy.why}\nFix: {finding.hint or policy.hint}"
            yield Violation(message, culprit.urn if culprit else "")


def _excepted(resource: Resource, config: Config) -> bool:
    return any(fnmatchcase(resource.name, pattern) for pattern in config[EXCEPT.name])


def _unknown_keys(policy: Policy, given: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a key that is spelt wrong would leave its policy at the default without a word."""
    known = [key.name for key in config_keys(policy)]
    for key in given:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            yield Finding(
                f'configuration: "{key}" is not a key of {policy.name}{hint}',
                hint=f"Use one of: {', '.join(known)}, enforcementLevel.",
            )
