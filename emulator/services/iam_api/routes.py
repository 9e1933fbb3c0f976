"""Paths of IAM and of its credentials (https://cloud.google.com/iam/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.iam.responses import policy_routes
from emulator.services.iam_api import account_responses as accounts
from emulator.services.iam_api import role_responses as roles
from emulator.services.iam_api import tokens
from emulator.services.iam_api.service import IamApi

_ROLES = "/projects/{project}/roles"
_ROLE = f"{_ROLES}/{{role:id}}"
_ACCOUNTS = "/projects/{project}/serviceAccounts"
_ACCOUNT = f"{_ACCOUNTS}/{{account:id}}"
_KEYS = f"{_ACCOUNT}/keys"


def routes(iam_api: IamApi) -> Iterator[Route]:
    """Yield every route of the service, and that of OAuth's tokens."""
    route = partial(rest.routes, iam_api)
    yield from route("GET", "/roles", roles.list_predefined)
    yield from route("GET", "/roles/{role:id}", roles.get_predefined)
    yield from route("GET", _ROLES, roles.list_custom)
    yield from route("POST", _ROLES, roles.create)
    yield from route("GET", _ROLE, roles.get)
    yield from route("PATCH", _ROLE, roles.patch)
    yield from route("DELETE", _ROLE, roles.delete)
    yield from route("POST", f"{_ROLE}:undelete", roles.undelete)
    yield from policy_routes(
        iam_api.iam, iam_api, _ACCOUNT, accounts.resource, accounts.exists, "iam"
    )
    yield from route("GET", _ACCOUNTS, accounts.list_accounts)
    yield from route("POST", _ACCOUNTS, accounts.create)
    yield from route("GET", _ACCOUNT, accounts.get)
    yield from route("PATCH", _ACCOUNT, accounts.patch)
    yield from route("DELETE", _ACCOUNT, accounts.delete)
    for verb, disabled in (("disable", True), ("enable", False)):
        change = partial(accounts.set_disabled, disabled=disabled)
        yield from route("POST", f"{_ACCOUNT}:{verb}", change)
    yield from route("GET", _KEYS, accounts.list_keys)
    yield from route("POST", _KEYS, accounts.create_key)
    yield from route("GET", f"{_KEYS}/{{key:id}}", accounts.get_key)
    yield from route("DELETE", f"{_KEYS}/{{key:id}}", accounts.delete_key)
    yield from route("POST", f"{_ACCOUNT}:generateAccessToken", tokens.generate_access_token)
    yield Route("/token", partial(tokens.exchange, iam_api), methods=["POST"])
