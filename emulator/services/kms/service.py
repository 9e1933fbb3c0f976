"""Cloud KMS as its handlers see it."""

from dataclasses import dataclass

from emulator.services.iam.service import Iam
from emulator.services.kms.ciphertexts import Ciphertexts
from emulator.services.kms.models import Keys
from emulator.services.serviceusage.service import ProjectAccess

API = "cloudkms.googleapis.com"


@dataclass(frozen=True)
class Kms:
    """The state of Cloud KMS."""

    iam: Iam
    projects: ProjectAccess
    keys: Keys
    ciphertexts: Ciphertexts
