"""Validation of IAM policies (https://cloud.google.com/iam/docs/reference/rest/v1/Policy).

Inferred (conformance: iam-member-text, iam-special-member-text, iam-role-text,
iam-condition-version-text, iam-basic-condition-text, iam-mask-text): the texts of refusals.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import ApiError, bad_field, invalid_argument
from emulator.core.json_bytes import decode_bytes
from emulator.services.iam import conditions

_ROLE = re.compile(r"(roles|(projects|organizations)/[^/]+/roles)/[A-Za-z0-9_.]+")
_BASIC = {"roles/editor", "roles/owner", "roles/viewer"}
_MANGLED = "_withcond_"
_ADDRESS = r"[^@\s]+@[^@\s]+"
_MEMBER = re.compile(
    rf"allUsers|allAuthenticatedUsers|(deleted:)?(user|serviceAccount|group):{_ADDRESS}"
    r"|domain:[^@\s]+|project(Owner|Editor|Viewer):[^\s]+|principal(Set)?://[^\s]+"
)
_FIELDS = {"auditConfigs", "bindings", "etag", "version"}
_SPECIAL = {"allusers": "allUsers", "allauthenticatedusers": "allAuthenticatedUsers"}


def check_request(body: Mapping[str, Any], service: str) -> None:
    """Raise an error for an invalid setIamPolicy request; some services have no audit configs.

    Raises:
        ApiError: 400, naming the field, role or member at fault.
    """
    api(service, "v1").check("SetIamPolicyRequest", body)
    if not isinstance(body.get("policy"), dict):
        raise invalid_argument("setIamPolicy: the body must hold a policy object.")


def check_policy(policy: Mapping[str, Any]) -> None:
    """Raise an error for an invalid policy.

    Raises:
        ApiError: 400, naming the field, role or member at fault.
    """
    api("healthcare", "v1").check("Policy", {**policy}, "policy")
    if policy.get("version") not in (None, 0, 1, 3):
        raise invalid_argument(f"Invalid policy version {policy['version']}: 0, 1 or 3.")
    decoded(policy.get("etag") or "")
    for binding in policy.get("bindings") or []:
        _check_binding(binding or {}, policy.get("version"))
    for config in policy.get("auditConfigs") or []:
        _check_audit_config(config or {})


def check_mask(fields: Iterable[str]) -> None:
    """Raise an error for a mask with fields that a policy does not have.

    Raises:
        ApiError: 400, naming the field.
    """
    for field in sorted(set(fields) - _FIELDS):
        raise invalid_argument(f"Invalid update_mask provided: {field} is not a field of a policy.")


def decoded(etag: str) -> bytes:
    """Return the bytes of an etag: clients send it in either alphabet of base64.

    Raises:
        ApiError: 400 for what is no base64.
    """
    try:
        return decode_bytes(etag)
    except ValueError:
        raise bad_field(
            "policy.etag", f"Invalid value at 'policy.etag' (TYPE_BYTES), {json.dumps(etag)[:80]}"
        ) from None


def check_requested_version(version: object) -> int:
    """Return the policy version that a getIamPolicy request asks for.

    Raises:
        ApiError: 400 for one that there is not.
    """
    if str(version or 0) not in ("0", "1", "3"):
        raise invalid_argument(f"Invalid requested policy version {version}: 0, 1 or 3.")
    return int(str(version or 0))


def _check_binding(binding: Mapping[str, Any], version: object) -> None:
    role = str(binding.get("role") or "")
    if not _ROLE.fullmatch(role):
        raise invalid_argument(f"Role {role} is not supported for this resource.")
    if _MANGLED in role:
        raise invalid_argument(
            f"Role {role} stands for a binding with a condition: read the policy with "
            "requestedPolicyVersion 3 before it is changed."
        )
    _check_members(binding.get("members"))
    if binding.get("condition") is not None:
        _check_condition(role, binding["condition"], version)


def _check_audit_config(config: Mapping[str, Any]) -> None:
    service = config.get("service")
    if not service:
        raise invalid_argument("An audit config needs a service, or allServices.")
    entries = config.get("auditLogConfigs") or []
    if not entries:
        raise invalid_argument(f"The audit config of {service} needs auditLogConfigs.")
    for entry in entries:
        if (entry or {}).get("logType") in (None, "LOG_TYPE_UNSPECIFIED"):
            raise invalid_argument(
                f"An auditLogConfig of {service} needs a logType: ADMIN_READ, DATA_READ or "
                "DATA_WRITE."
            )
        _check_members(entry.get("exemptedMembers"))


def _check_members(members: Iterable[Any] | None) -> None:
    for member in members or []:
        if not isinstance(member, str) or not _MEMBER.fullmatch(member):
            raise _bad_member(str(member))


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
    if role in _BASIC:
        raise invalid_argument(f"Conditions can't be set on basic roles such as {role}.")
    if version != 3:
        raise invalid_argument(
            f"The binding of {role} has a condition: the policy's version must be 3."
        )
    if not condition.get("title") or not condition.get("expression"):
        raise invalid_argument(f"The condition on {role} needs a title and an expression.")
    conditions.check(condition["expression"])
