"""Grants that existed before the stack: made by hand, by another stack or by another tool.

A policy has one entry for a role and a member, however many ask for it. A stack that declares such
an entry and is destroyed, or drops it from its program, would take it from all others. So a grant
that is in the policy before the stack creates it is retained on delete, and a component without
resources, `ExistingGrant` of the same name, records that in the state.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.resource import ResourceTransform
from pulumi.runtime.invoke import invoke_async
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import get_monitor, is_dry_run

from components.base import PACKAGE

Json = dict[str, Any]
Key = tuple[str, str]
"""The type and the logical name of a resource of the stack."""

MARK = f"{PACKAGE}:ExistingGrant"
"""The type of the component that records a grant."""
_OWN_STATE = "pulumi:pulumi:readStackResourceOutputs"
_AUDIT_LOGS = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
_BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
# Type -> the function that reads the policy, and its arguments, which the type has too.
_POLICIES = {
    "gcp:projects/iAMMember:IAMMember": ("gcp:projects/getIamPolicy:getIamPolicy", ("project",)),
    _AUDIT_LOGS: ("gcp:projects/getIamPolicy:getIamPolicy", ("project",)),
    _BUCKET_MEMBER: (
        "gcp:storage/getBucketIamPolicy:getBucketIamPolicy",
        ("bucket",),
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": (
        "gcp:bigquery/getDatasetIamPolicy:getDatasetIamPolicy",
        ("project", "datasetId"),
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": (
        "gcp:kms/getCryptoKeyIamPolicy:getCryptoKeyIamPolicy",
        ("cryptoKeyId",),
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": (
        "gcp:pubsub/getTopicIamPolicy:getTopicIamPolicy",
        ("project", "topic"),
    ),
}
_CONDITION_FIELDS = ("title", "description", "expression")


def options(**others: Any) -> pulumi.ResourceOptions:
    """Options of a component whose grants may exist already.

    Args:
        others: further options of the component
    """
    # Mocks leave every grant to the stack.
    has_engine = isinstance(get_monitor(), ResourceMonitorStub)
    transforms: list[ResourceTransform] = [_retain_existing] if has_engine else []
    return pulumi.ResourceOptions(transforms=transforms or None, **others)


def holds(policy: Json, type_: str, wanted: Mapping[str, Any]) -> bool:
    """Return whether a policy has the entry that a resource would add.

    Args:
        policy: with `bindings` and `auditConfigs`
        type_: the type token of the resource
        wanted: its inputs
    """
    if type_ == _AUDIT_LOGS:
        configs = policy.get("auditConfigs") or []
        return any(config.get("service") == wanted["service"] for config in configs)
    return any(
        binding.get("role") == wanted["role"]
        and _condition(binding.get("condition")) == _condition(wanted.get("condition"))
        and any(_same(member, wanted["member"]) for member in binding.get("members") or ())
        for binding in policy.get("bindings") or ()
    )


class _Cloud:
    """The stack's own state and the policies as an update finds them, each read once."""

    def __init__(self) -> None:
        self._own: asyncio.Future[frozenset[Key]] | None = None
        self._policies: dict[str, asyncio.Future[Json]] = {}

    async def own(self) -> frozenset[Key]:
        """Return the resources that the stack held before this update."""
        self._own = self._own or asyncio.ensure_future(_own())
        return await self._own

    async def policy(self, function: str, arguments: Json, options: pulumi.InvokeOptions) -> Json:
        """Return a policy as it was before the stack changed it in this update."""
        key = json.dumps([function, arguments], sort_keys=True)
        if key not in self._policies:
            self._policies[key] = asyncio.ensure_future(_policy(function, arguments, options))
        return await self._policies[key]


# A process may run programs on several engines, one after the other.
_clouds: WeakKeyDictionary[ResourceMonitorStub, _Cloud] = WeakKeyDictionary()


async def _retain_existing(
    args: pulumi.ResourceTransformArgs,
) -> pulumi.ResourceTransformResult | None:
    if args.type_ not in _POLICIES:
        return None
    monitor = get_monitor()
    assert isinstance(monitor, ResourceMonitorStub)
    cloud = _clouds.setdefault(monitor, _Cloud())
    if not await _existed(args, cloud):
        return None
    mark = pulumi.ComponentResource(MARK, args.name)
    await mark.urn.future()  # in the state before the grant is
    args.opts.retain_on_delete = True
    return pulumi.ResourceTransformResult(args.props, args.opts)


async def _existed(args: pulumi.ResourceTransformArgs, cloud: _Cloud) -> bool:
    """Return whether a grant existed before the stack."""
    own = await cloud.own()
    if (args.type_, args.name) in own:
        return (MARK, args.name) in own
    known = dict(args.props)
    function, names = _POLICIES[args.type_]
    arguments = {name: known[name] for name in names if known.get(name)}
    if _is_unknown(arguments):
        return False  # a preview of what is not there yet
    try:
        policy = await cloud.policy(function, arguments, _provider_of(args.opts))
    except Exception as error:  # noqa: BLE001 (the SDK raises Exception)
        if text := _warning(args.type_, arguments, str(error)):
            pulumi.log.warn(f"{args.name}: {text}")
        return False
    # In a preview the agent may not be there yet.
    return not _is_unknown(known) and holds(policy, args.type_, known)


def _is_unknown(inputs: Json) -> bool:
    return any(isinstance(value, pulumi.Output) for value in inputs.values())


def _warning(type_: str, arguments: Json, error: str) -> str:
    """Return what a policy that can't be read means; empty for what the update will create."""
    if type_ == _BUCKET_MEMBER and "Error 404" in error:
        return f"there is no bucket {arguments['bucket']}. Create it, or correct the stack file."
    if is_dry_run():
        return ""
    return (
        "the policy can't be read, so it is not known whether this grant existed before the "
        f"stack. A tear-down would delete it. {error}"
    )


async def _own() -> frozenset[Key]:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    found = await invoke_async(_OWN_STATE, {"stackName": name})
    urns = ((found or {}).get("outputs") or {}).keys()
    return frozenset((urn.split("::")[2].rpartition("$")[2], urn.split("::")[3]) for urn in urns)


def _provider_of(opts: pulumi.ResourceOptions) -> pulumi.InvokeOptions:
    """Return options that lead a function to the provider of a resource."""
    return pulumi.InvokeOptions(
        provider=opts.provider, version=opts.version, plugin_download_url=opts.plugin_download_url
    )


async def _policy(function: str, arguments: Json, options: pulumi.InvokeOptions) -> Json:
    found = await invoke_async(function, arguments, options)
    policy: Json = json.loads(found["policyData"])
    return policy


def _condition(raw: Mapping[str, str] | None) -> dict[str, str]:
    return {key: raw[key] for key in _CONDITION_FIELDS if raw and raw.get(key)}


def _same(one: str, other: str) -> bool:
    # E-mail addresses are case-insensitive; the ids in principals are not.
    return one == other if one.startswith("principal") else one.lower() == other.lower()
