"""What makes an IAM policy well formed (https://cloud.google.com/iam/docs/reference/rest/v1/Policy)."""

import re
from collections.abc import Mapping
from typing import Any

from emulator.errors import ApiError, invalid_argument

_ROLE = re.compile(r"(roles|(projects|organizations)/[^/]+/roles)/[A-Za-z0-9_.]+")
_ADDRESS = r"[^@\s]+@[^@\s]+"
_MEMBER = re.compile(
    rf"allUsers|allAuthenticatedUsers|(deleted:)?(user|serviceAccount|group):{_ADDRESS}"
    r"|domain:[^@\s]+|project(Owner|Editor|Viewer):[^\s]+|principal(Set)?://[^\s]+"
)
_SPECIAL = {"allusers": "allUsers", "allauthenticatedusers": "allAuthenticatedUsers"}


def check_policy(policy: Mapping[str, Any]) -> None:
    """Refuse a policy that is not well formed.

    Raises:
        ApiError: 400, naming the role or member at fault.
    """
    bindings = policy.get("bindings", [])
    if not isinstance(bindings, list):
        raise invalid_argument("Invalid policy: bindings must be a list.")
    for binding in bindings:
        _check_binding(binding, policy.get("version", 1))


def _check_binding(binding: Mapping[str, Any], version: object) -> None:
    role = str(binding.get("role", ""))
    if not _ROLE.fullmatch(role):
        raise invalid_argument(f"Role {role} is not supported for this resource.")
    members = binding.get("members", [])
    for member in members if isinstance(members, list) else [members]:
        if not isinstance(member, str) or not _MEMBER.fullmatch(member):
            raise _bad_member(str(member))
    if binding.get("condition") is not None:
        _check_condition(role, binding["condition"], version)


def _bad_member(member: str) -> ApiError:
    if member.lower() in _SPECIAL:
        return invalid_argument(
            f"Invalid principal {member}: did you mean {_SPECIAL[member.lower()]}?"
        )
    return invalid_argument(
        f"Invalid principal {member}: expected a prefix such as user:, group:, serviceAccount:, "
        "domain:, principal:// or principalSet://, and an identifier."
    )


def _check_condition(role: str, condition: Mapping[str, Any], version: object) -> None:
    if version != 3:
        raise invalid_argument(
            f"The binding of {role} has a condition: the policy's version must be 3."
        )
    if not condition.get("title") or not condition.get("expression"):
        raise invalid_argument(f"The condition on {role} needs a title and an expression.")
