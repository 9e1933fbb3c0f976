"""Grants on the resources of a stack, read from their policies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scripts.lib.errors import ScriptError
from scripts.members.resources import Resource
from scripts.resources.lookup import Json, Lookup, access_as_policy

_APIS = {"healthcare": "healthcare", "pubsub": "pubsub", "cloudkms": "kms"}


@dataclass(frozen=True)
class Grant:
    """A role of a member on a resource.

    Attributes:
        resource: the full name of the resource that has the policy
        member: as IAM writes it
        role: such as `roles/healthcare.dicomViewer`
        condition: its expression; empty if there is none
    """

    resource: str
    member: str
    role: str
    condition: str = ""


@dataclass(frozen=True)
class Grants:
    """The grants of a stack.

    Attributes:
        found: in the order of the resources
        unread: full name of a resource that is not the stack's -> why its policy can't be read
    """

    found: list[Grant]
    unread: dict[str, str]


def read(resources: Iterable[Resource], project: str, lookup: Lookup) -> Grants:
    """Read the policies of resources.

    Args:
        resources: of the stack, and those that its settings name
        project: of the stack
        lookup: reads them

    Raises:
        ScriptError: the policy of a resource of the project can't be read
    """
    grants = Grants([], {})
    for resource in resources:
        try:
            policy = _policy(resource, project, lookup)
        except ScriptError as error:
            # The settings may name a bucket of others, such as a public one.
            if resource.service != "storage" and _is_in(resource, project):
                raise
            grants.unread[resource.name] = str(error)
        else:
            grants.found.extend(_grants(resource.name, policy or {}))
    return grants


def _policy(resource: Resource, project: str, lookup: Lookup) -> Json | None:
    name = resource.name
    id_ = name.rpartition("/")[2]
    if resource.service == "cloudresourcemanager":
        return lookup.project_policy(id_)
    if resource.service == "storage":
        return lookup.bucket_policy(project, id_)
    if resource.service == "bigquery":
        return access_as_policy(lookup.big_query_dataset(name.split("/")[1], id_) or {})
    collection = ".".join(name.split("/")[::2])
    return lookup.policy(_APIS[resource.service], collection, name)


def _is_in(resource: Resource, project: str) -> bool:
    return resource.name.split("/")[1] == project


def _grants(resource: str, policy: dict[str, Any]) -> Iterator[Grant]:
    for binding in policy.get("bindings", []):
        condition = (binding.get("condition") or {}).get("expression", "")
        for member in binding.get("members", []):
            yield Grant(resource, member, binding["role"], condition)


def is_member(grant: Grant, member: str) -> bool:
    """Whether a grant is that of a member, named as IAM writes it or by e-mail address.

    Grants to all users, or to all who are signed in, are every member's.
    """
    if grant.member in ("allUsers", "allAuthenticatedUsers"):
        return True
    named = grant.member if ":" in member else grant.member.partition(":")[2]
    return named.lower() == member.lower()
