"""The default service account of Compute Engine, which runs what names no account.

Documented: https://cloud.google.com/compute/docs/access/service-accounts#default_service_account.
It has no roles of its own here, as in organizations that do not grant them automatically.
"""

import hashlib

from emulator.services.iam.accounts import Account
from emulator.services.iam_api.service import IamApi

_DISPLAY_NAME = "Compute Engine default service account"


def ensure_default_account(iam_api: IamApi, project: str) -> str:
    """Create the account of a project unless it exists, and return its address.

    Args:
        iam_api: the accounts
        project: the id of the project
    """
    email = default_address(iam_api.projects.number_of(project))
    iam_api.accounts.add(new_account(project, email) | {"displayName": _DISPLAY_NAME})
    return email


def default_address(number: str) -> str:
    """Return the address of the account of a project, by the project's number."""
    return f"{number}-compute@developer.gserviceaccount.com"


def new_account(project: str, email: str) -> Account:
    """Return an account as the API has it, with an id that depends on its address alone."""
    number = str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)
    return {
        "name": f"projects/{project}/serviceAccounts/{email}",
        "projectId": project,
        "uniqueId": number,
        "email": email,
        "oauth2ClientId": number,
        "etag": "MDEwMjE5MjA=",
    }
