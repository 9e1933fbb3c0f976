"""Requests and answers about roles: https://cloud.google.com/iam/docs/reference/rest/v1/roles.

Inferred (conformance: iam-custom-role-missing-text, iam-custom-role-id-text,
iam-custom-role-permission-text): the texts of refusals.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import already_exists, failed_precondition, invalid_argument, not_found
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.paging import from_items, paginate
from emulator.core.rest import Call
from emulator.services.iam import roles
from emulator.services.iam.custom_roles import Role
from emulator.services.iam_api.service import IamApi

_ID = re.compile(r"[a-zA-Z0-9_.]{3,64}")
_PERMISSION = re.compile(r"[a-z][a-zA-Z0-9-]*(\.[a-zA-Z0-9]+){2,}")
_FIXED = frozenset({"name", "etag", "deleted"})
_PAGE, _MAX_PAGE = 300, 1000


def list_predefined(call: Call[IamApi]) -> dict[str, Any]:
    """Return the predefined roles, with their permissions in the view FULL."""
    full = call.query.get("view") == "FULL"
    items = [_predefined(name, full=full) for name in roles.names()]
    return paginate(
        from_items(items, lambda role: str(role["name"])),
        call.query,
        "roles",
        scope=f"roles {full}",
        default=_PAGE,
        maximum=_MAX_PAGE,
    )


def get_predefined(call: Call[IamApi]) -> dict[str, Any]:
    """Return a predefined role with its permissions."""
    name = f"roles/{call.path['role']}"
    if name not in roles.names():
        raise not_found(f"The role named {name} was not found.")
    return _predefined(name, full=True)


def create(call: Call[IamApi]) -> dict[str, Any]:
    """Create a custom role."""
    messages = api("iam", "v1")
    messages.check("CreateRoleRequest", call.body)
    role_id = call.body.get("roleId", "")
    if not _ID.fullmatch(role_id):
        raise invalid_argument(f"The role id {role_id!r} is not 3 to 64 letters, digits, _ or .")
    project = call.service.projects.id_of(call.path["project"])
    name = f"projects/{project}/roles/{role_id}"
    if call.service.roles.find(name):
        raise already_exists(f"A role named {role_id} in projects/{project} already exists.")
    given = messages.normal("Role", call.body.get("role") or {})
    return _put(call, project, {**_settable(given), "name": name})


def list_custom(call: Call[IamApi]) -> dict[str, Any]:
    """Return the custom roles of a project, deleted ones on request."""
    project = call.service.projects.id_of(call.path["project"])
    deleted = call.query.get("showDeleted", "").lower() == "true"
    page = paginate(
        partial(call.service.roles.page, project),
        call.query,
        "roles",
        scope=f"projects/{project}/roles {deleted}",
        default=_PAGE,
        maximum=_MAX_PAGE,
        matches=lambda role: deleted or not role.get("deleted"),
    )
    if call.query.get("view") != "FULL":
        for role in page.get("roles", []):
            role.pop("includedPermissions", None)
    return page


def get(call: Call[IamApi]) -> dict[str, Any]:
    """Return a custom role."""
    return _existing(call)


def patch(call: Call[IamApi]) -> dict[str, Any]:
    """Change the fields of a custom role that the mask names; all settable ones without a mask."""
    present = _existing(call)
    messages = api("iam", "v1")
    messages.check("Role", call.body, "role")
    given = _settable(messages.normal("Role", call.body))
    text = call.query.get("updateMask", "") or ",".join(given)
    mask = FieldMask.parse(text, messages, "Role")
    if wrong := mask.outside(messages.fields("Role") - _FIXED):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    project = call.service.projects.id_of(call.path["project"])
    return _put(call, project, mask.apply(present, given))


def delete(call: Call[IamApi]) -> dict[str, Any]:
    """Mark a custom role as deleted: it grants nothing, and can be undeleted."""
    project = call.service.projects.id_of(call.path["project"])
    return _put(call, project, {**_existing(call), "deleted": True})


def undelete(call: Call[IamApi]) -> dict[str, Any]:
    """Restore a custom role that was deleted."""
    role = _existing(call)
    if not role.pop("deleted", False):
        raise failed_precondition(f"The role named {role['name']} is not deleted.")
    return _put(call, call.service.projects.id_of(call.path["project"]), role)


def _existing(call: Call[IamApi]) -> Role:
    project = call.service.projects.id_of(call.path["project"])
    name = f"projects/{project}/roles/{call.path['role']}"
    found = call.service.roles.find(name)
    if found is None:
        raise not_found(f"The role named {name} was not found.")
    return found


def _settable(role: Mapping[str, Any]) -> Role:
    """Return the fields of a role that a client sets.

    Raises:
        ApiError: 400 for a permission that is not one
    """
    for permission in role.get("includedPermissions", []):
        if not _PERMISSION.fullmatch(permission):
            raise invalid_argument(f"Permission {permission} is not valid.")
    return {field: value for field, value in role.items() if field not in _FIXED}


def _put(call: Call[IamApi], project: str, role: Role) -> Role:
    whole = {key: value for key, value in role.items() if key != "etag"}
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).digest()
    whole["etag"] = base64.b64encode(digest[:8]).decode()
    call.service.roles.put(project, whole)
    return whole


def _predefined(name: str, *, full: bool) -> Role:
    title = name.removeprefix("roles/")
    role: Role = {"name": name, "title": title, "stage": "GA", "etag": "AA=="}
    if full:
        role["includedPermissions"] = sorted(roles.permissions_of(name))
    return role
