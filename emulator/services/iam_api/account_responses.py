"""Requests and answers about service accounts and their keys.

Documented: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.

Inferred (conformance: iam-account-missing-text, iam-account-id-text): the texts of refusals.
"""

import base64
import json
import re
from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import already_exists, invalid_argument, not_found
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.iam.accounts import Account, Key
from emulator.services.iam_api import keys
from emulator.services.iam_api.default_account import new_account
from emulator.services.iam_api.service import IamApi

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_SETTABLE = frozenset({"displayName", "description"})
_DOMAIN = ".iam.gserviceaccount.com"


def resource(call: Call[IamApi]) -> str:
    """Return the full name of the account in the path, whether it exists or not."""
    account = call.service.accounts.find(call.path["account"])
    if account is not None:
        return str(account["name"])
    return f"projects/{call.path['project']}/serviceAccounts/{call.path['account']}"


def exists(call: Call[IamApi], _name: str) -> bool:
    """Whether the account in the path exists."""
    return call.service.accounts.find(call.path["account"]) is not None


def create(call: Call[IamApi]) -> Account:
    """Create a service account."""
    messages = api("iam", "v1")
    messages.check("CreateServiceAccountRequest", call.body)
    account_id = call.body.get("accountId", "")
    if not _ID.fullmatch(account_id):
        raise invalid_argument(
            f"Invalid service account id {account_id!r}: 6 to 30 lowercase letters, digits and "
            "hyphens, beginning with a letter."
        )
    project = call.service.projects.id_of(call.path["project"])
    email = f"{account_id}@{project}{_DOMAIN}"
    given = messages.normal("ServiceAccount", call.body.get("serviceAccount") or {})
    account = {
        **{field: given[field] for field in _SETTABLE & given.keys()},
        **new_account(project, email),
    }
    if not call.service.accounts.add(account):
        raise already_exists(
            f"Service account {account_id} already exists within project projects/{project}."
        )
    return account


def list_accounts(call: Call[IamApi]) -> dict[str, Any]:
    """Return the service accounts of a project."""
    project = call.service.projects.id_of(call.path["project"])
    return paginate(
        partial(call.service.accounts.page, project),
        call.query,
        "accounts",
        scope=f"projects/{project}/serviceAccounts",
        default=20,
        maximum=100,
    )


def get(call: Call[IamApi]) -> Account:
    """Return a service account, by its address or its unique id."""
    account = call.service.accounts.find(call.path["account"])
    if account is None:
        raise not_found(f"Unknown service account: {call.path['account']}")
    return account


def patch(call: Call[IamApi]) -> Account:
    """Change the display name or the description of an account."""
    account = get(call)
    messages = api("iam", "v1")
    messages.check("PatchServiceAccountRequest", call.body)
    mask = FieldMask.parse(call.body.get("updateMask", ""), messages, "ServiceAccount")
    if wrong := mask.outside(_SETTABLE):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    given = messages.normal("ServiceAccount", call.body.get("serviceAccount") or {})
    changed = mask.apply(account, given)
    call.service.accounts.update(changed)
    return changed


def delete(call: Call[IamApi]) -> dict[str, Any]:
    """Delete an account with its keys and its policy."""
    account = get(call)
    call.service.accounts.delete(account["email"])
    call.service.iam.policies.delete_prefix(account["name"])
    return {}


def set_disabled(call: Call[IamApi], *, disabled: bool) -> dict[str, Any]:
    """Disable or enable an account; a disabled one gets no tokens."""
    account = get(call)
    account.pop("disabled", None)
    call.service.accounts.update({**account, **({"disabled": True} if disabled else {})})
    return {}


def create_key(call: Call[IamApi]) -> Key:
    """Create a key; the answer alone holds its private part, as a JSON key file."""
    key, file = keys.add_key(call.service.accounts, get(call), call.service.root_url)
    return {
        **_shown(key),
        "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
        "privateKeyData": base64.b64encode(json.dumps(file, indent=2).encode()).decode(),
    }


def list_keys(call: Call[IamApi]) -> dict[str, Any]:
    """Return the keys of an account, without their private parts."""
    found = [_shown(key) for key in call.service.accounts.keys(get(call)["email"])]
    return {"keys": found} if found else {}


def get_key(call: Call[IamApi]) -> Key:
    """Return a key; its public part on request."""
    found = _key(call)
    if call.query.get("publicKeyType", "TYPE_NONE") == "TYPE_NONE":
        return _shown(found)
    return found


def delete_key(call: Call[IamApi]) -> dict[str, Any]:
    """Delete a key: it gets no more tokens."""
    _key(call)
    call.service.accounts.delete_key(get(call)["email"], call.path["key"])
    return {}


def _key(call: Call[IamApi]) -> Key:
    for key in call.service.accounts.keys(get(call)["email"]):
        if key["name"].endswith(f"/keys/{call.path['key']}"):
            return key
    raise not_found(f"Service account key {call.path['key']} does not exist.")


def _shown(key: Key) -> Key:
    return {field: value for field, value in key.items() if field != "publicKeyData"}
