"""The APIs of IAM as their handlers see them."""

from dataclasses import dataclass

from emulator.services.iam.accounts import Accounts
from emulator.services.iam.custom_roles import Roles
from emulator.services.iam.service import Iam
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class IamApi:
    """The state of IAM.

    Attributes:
        root_url: the emulator's own address, where keys get their tokens
        iam: the policies of resources
        projects: know the ids of projects
        roles: predefined and custom ones
        accounts: service accounts with their keys
    """

    root_url: str
    iam: Iam
    projects: Projects
    roles: Roles
    accounts: Accounts
