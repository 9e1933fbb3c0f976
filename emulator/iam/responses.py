"""getIamPolicy, setIamPolicy and testIamPermissions, the same on every resource.

https://cloud.google.com/iam/docs/reference/rest/v1/Policy
"""

from collections.abc import Callable, Iterator
from typing import Any

from starlette.routing import Route

from emulator.errors import invalid_argument, not_found
from emulator.http import Call, routes

Name = Callable[[Call], str]
Exists = Callable[[Call, str], bool]


def policy_routes(path: str, name: Name, exists: Exists) -> Iterator[Route]:
    """The three calls on one kind of resource.

    Args:
        path: The resource's path behind the version.
        name: Gives the full name of the resource that a call is about.
        exists: Whether it is there.
    """

    def get(call: Call) -> dict[str, Any]:
        resource = _required(call)
        return call.cloud.policies.get(resource)

    def put(call: Call) -> dict[str, Any]:
        resource = _required(call)
        policy = call.body.get("policy")
        if not isinstance(policy, dict):
            raise invalid_argument("setIamPolicy: the body must hold a policy object.")
        _check_agents(call, policy)
        return call.cloud.policies.set(resource, policy)

    def test(call: Call) -> dict[str, Any]:
        wanted = call.body.get("permissions", [])
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


def _check_agents(call: Call, policy: dict[str, Any]) -> None:
    """A service agent can be granted a role only once it exists."""
    members = {
        str(member).removeprefix("serviceAccount:")
        for binding in policy.get("bindings", [])
        for member in binding.get("members", [])
        if str(member).startswith("serviceAccount:")
    }
    for missing in call.cloud.services.missing_agents(members):
        raise invalid_argument(f"Service account {missing} does not exist.")
