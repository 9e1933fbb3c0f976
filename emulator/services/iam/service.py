"""IAM as the other services use it."""

from dataclasses import dataclass

from emulator.services.iam.models import Policies
from emulator.services.iam.service_accounts import ServiceAccounts


@dataclass(frozen=True)
class Iam:
    """The policies of all resources, and the accounts that they may name."""

    policies: Policies
    service_accounts: ServiceAccounts
