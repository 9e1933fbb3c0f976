"""getIamPolicy, setIamPolicy and testIamPermissions, the same on every resource.

https://cloud.google.com/iam/docs/reference/rest/v1/Policy

Inferred (conformance: iam-missing-resource-text, iam-test-missing): a missing resource allows
nothing, and the text of a refusal.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from starlette.routing import Route

from emulator.core import rest
from emulator.core.discovery import api as messages_of
from emulator.core.errors import invalid_argument, not_found
from emulator.core.resources.field_mask import FieldMask
from emulator.core.rest import Call, ServiceT
from emulator.services.iam.models import without_conditions
from emulator.services.iam.service import Iam
from emulator.services.iam.validation import (
    check_mask,
    check_policy,
    check_request,
    check_requested_version,
)

Name = Callable[[Call[ServiceT]], str]
Exists = Callable[[Call[ServiceT], str], bool]


def policy_routes(
    iam: Iam,
    service: ServiceT,
    path: str,
    name: Name[ServiceT],
    exists: Exists[ServiceT],
    api: str,
    versions: Sequence[str] = rest.VERSIONS,
) -> Iterator[Route]:
    """Yield the routes of the three calls on one type of resource.

    Args:
        iam: holds the policies
        service: the service that owns the resource
        path: the resource's path behind the version
        name: returns the full name of the resource that a call is about
        exists: whether it exists
        api: the API whose requests these are, such as `pubsub`
        versions: of the API
    """

    def get(call: Call[ServiceT]) -> dict[str, Any]:
        version = _requested_version(call)
        policy = iam.policies.get(_required(call))
        return policy if version == 3 else without_conditions(policy)

    def put(call: Call[ServiceT]) -> dict[str, Any]:
        resource = _required(call)
        check_request(call.body, api)
        policy = call.body["policy"]
        check_policy(policy)
        iam.service_accounts.check_members(policy)
        return iam.policies.set(resource, policy, _masked(call.body.get("updateMask")))

    def test(call: Call[ServiceT]) -> dict[str, Any]:
        wanted = call.body.get("permissions") or []
        if not isinstance(wanted, list):
            raise invalid_argument("testIamPermissions: permissions must be a list.")
        # The caller owns the local Google Cloud; a missing resource allows nothing to anyone.
        return {"permissions": wanted} if wanted and exists(call, name(call)) else {}

    def _required(call: Call[ServiceT]) -> str:
        resource = name(call)
        if not exists(call, resource):
            raise not_found(f"Resource {resource} does not exist.")
        return resource

    # Google serves getIamPolicy by GET on some services and by POST on others.
    for verb, call, handler in (
        ("GET", "getIamPolicy", get),
        ("POST", "getIamPolicy", get),
        ("POST", "setIamPolicy", put),
        ("POST", "testIamPermissions", test),
    ):
        yield from rest.routes(service, verb, f"{path}:{call}", handler, versions)


def _requested_version(call: Call[ServiceT]) -> int:
    options = call.body.get("options") or {}
    in_body = options.get("requestedPolicyVersion") if isinstance(options, dict) else options
    return check_requested_version(in_body or call.query.get("options.requestedPolicyVersion"))


def _masked(mask: str | None) -> frozenset[str]:
    """Return the fields of the policy that a request replaces; bindings alone if it does not say.

    Raises:
        ApiError: 400 for an unknown field.
    """
    fields = FieldMask.parse(
        mask or "bindings,etag", messages_of("healthcare", "v1"), "Policy"
    ).fields
    check_mask(fields)
    return fields
