"""The policies as Pulumi's policy SDK wants them. Nothing else in the pack knows that SDK."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policy.evaluate import config_keys, evaluate_resource, evaluate_stack
from policy.model import UNKNOWN, Policy, Resource, ResourcePolicy, StackPolicy
from policy.registry import POLICIES

NAME = "gcp-healthcare-dicom"

_Inputs = dict[str, Mapping[str, Any]]
"""URN -> inputs of the resources that this process has seen registered."""


def serve() -> None:
    """Serve the pack to the engine until it ends the process."""
    inputs: _Inputs = {}
    PolicyPack(NAME, [_adapted(policy, inputs) for policy in POLICIES])


def _adapted(policy: Policy, inputs: _Inputs) -> ResourceValidationPolicy | StackValidationPolicy:
    described: dict[str, Any] = {
        "name": policy.name,
        "description": policy.what,
        "enforcement_level": EnforcementLevel(policy.level.value),
        "severity": Severity(policy.severity.value),
        "remediation_steps": policy.hint,
        "config_schema": PolicyConfigSchema(
            {key.name: {**key.schema, "description": key.text} for key in config_keys(policy)}
        ),
    }
    if isinstance(policy, ResourcePolicy):
        return ResourceValidationPolicy(validate=_resource_check(policy, inputs), **described)
    assert isinstance(policy, StackPolicy)
    return StackValidationPolicy(validate=_stack_check(policy, inputs), **described)


def _resource_check(
    policy: ResourcePolicy, inputs: _Inputs
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        props = plain(args.props)
        inputs[args.urn] = props
        resource = Resource(
            type=args.resource_type,
            name=args.name,
            urn=args.urn,
            props=props,
            protect=args.opts.protect,
            provider=plain(args.provider.props) if args.provider else {},
        )
        for violation in evaluate_resource(policy, resource, args.get_config()):
            report(violation.message, violation.urn)

    return check


def _stack_check(
    policy: StackPolicy, inputs: _Inputs
) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = stack_resources(args.resources, inputs)
        for violation in evaluate_stack(policy, resources, args.get_config()):
            report(violation.message, violation.urn or None)

    return check


def stack_resources(given: Sequence[PolicyResource], inputs: _Inputs) -> list[Resource]:
    """All resources of a stack, each knowing what its properties are made from.

    The engine lists them in another order every time; by URN, the same stack gets the same words.
    """
    bare = {item.urn: _stack_resource(item, inputs, {}) for item in given}
    return [
        _stack_resource(
            item,
            inputs,
            {
                key: [bare[source.urn] for source in sources]
                for key, sources in item.property_dependencies.items()
            },
        )
        for item in sorted(given, key=lambda item: item.urn)
    ]


def _stack_resource(
    item: PolicyResource, inputs: _Inputs, sources: Mapping[str, Sequence[Resource]]
) -> Resource:
    return Resource(
        type=item.resource_type,
        name=item.name,
        urn=item.urn,
        props=_with_inputs(plain(item.props), inputs.get(item.urn)),
        protect=item.opts.protect,
        provider=plain(item.provider.props) if item.provider else {},
        sources=sources,
    )


def _with_inputs(outputs: dict[str, Any], inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the outputs, with the inputs in place of what a preview can't know.

    An unknown output is either made from something that is still to come, or is what the cloud
    will fill in because the program left it out. Only the inputs distinguish the two.
    """
    if inputs is None:
        return outputs
    return {
        key: inputs.get(key) if value is UNKNOWN else value
        for key, value in outputs.items()
        if value is not UNKNOWN or key in inputs
    }


def plain(value: Any) -> Any:
    """Return what the SDK hands over in plain dicts and lists, unknown values as UNKNOWN.

    The SDK's own objects raise an error on the first touch of an unknown value, which would end
    the policy there and leave the rest of the resource unjudged.
    """
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(holder: Any, key: str | int) -> Any:
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN
