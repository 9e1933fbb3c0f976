"""getIamPolicy, setIamPolicy and testIamPermissions, the same on every resource.

https://cloud.google.com/iam/docs/reference/rest/v1/Policy
"""

from collections.abc import Callable, Iterator
from typing import Any

from starlette.routing import Route

from emulator.cloud import Cloud
from emulator.discovery import camel_case
from emulator.errors import invalid_argument, not_found
from emulator.http import Call, routes
from emulator.iam.models import without_conditions
from emulator.iam.validation import (
    check_mask,
    check_policy,
    check_request,
    check_requested_version,
)

Name = Callable[[Call], str]
Exists = Callable[[Call, str], bool]


def policy_routes(path: str, name: Name, exists: Exists, service: str) -> Iterator[Route]:
    """The three calls on one kind of resource.

    Args:
        path: The resource's path behind the version.
        name: Gives the full name of the resource that a call is about.
        exists: Whether it is there.
        service: The API whose requests these are, such as `pubsub`.
    """

    def get(call: Call) -> dict[str, Any]:
        version = _requested_version(call)
        policy = call.cloud.policies.get(_required(call))
        return policy if version == 3 else without_conditions(policy)

    def put(call: Call) -> dict[str, Any]:
        resource = _required(call)
        check_request(call.body, service)
        policy = call.body["policy"]
        check_policy(policy)
        check_agents(call.cloud, policy)
        return call.cloud.policies.set(resource, policy, _masked(call.body.get("updateMask")))

    def test(call: Call) -> dict[str, Any]:
        wanted = call.body.get("permissions") or []
        if not isinstance(wanted, list):
            raise invalid_argument("testIamPermissions: permissions must be a list.")
        # The caller owns the local Google Cloud; a missing resource allows nothing to anyone.
        return {"permissions": wanted} if wanted and exists(call, name(call)) else {}

    def _required(call: Call) -> str:
        resource = name(call)
        if not exists(call, resource):
            raise not_found(f"Resource {resource} does not exist.")
        return resource

    # Google serves getIamPolicy by GET on some services and by POST on others.
    yield from routes("GET", f"{path}:getIamPolicy", get)
    yield from routes("POST", f"{path}:getIamPolicy", get)
    yield from routes("POST", f"{path}:setIamPolicy", put)
    yield from routes("POST", f"{path}:testIamPermissions", test)


def _requested_version(call: Call) -> int:
    options = call.body.get("options") or {}
    in_body = options.get("requestedPolicyVersion") if isinstance(options, dict) else options
    return check_requested_version(in_body or call.query.get("options.requestedPolicyVersion"))


def _masked(mask: str | None) -> set[str]:
    """The fields of the policy that a request replaces; bindings alone if it does not say.

    Raises:
        ApiError: 400 for what is no field.
    """
    fields = {camel_case(field.strip()) for field in (mask or "bindings,etag").split(",")}
    check_mask(fields)
    return fields


def check_agents(cloud: Cloud, policy: dict[str, Any]) -> None:
    """Refuse a policy that grants a role to a service agent which does not exist yet.

    Raises:
        ApiError: 400, naming the agent.
    """
    members = {
        member.removeprefix("serviceAccount:")
        for binding in policy.get("bindings") or []
        for member in binding.get("members") or []
        if member.startswith("serviceAccount:")
    }
    for missing in cloud.services.missing_agents(members):
        raise invalid_argument(f"Service account {missing} does not exist.")
