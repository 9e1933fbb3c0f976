"""The customer-managed key of a dataset: checked when it is made, and whenever its data is used.

https://cloud.google.com/healthcare-api/docs/cmek
"""

from typing import Any

from emulator.core.errors import failed_precondition, invalid_argument
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.healthcare.stores.models import Resources
from emulator.services.kms.models import Keys

ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_PERMISSIONS = (
    "cloudkms.cryptoKeyVersions.useToEncrypt",
    "cloudkms.cryptoKeyVersions.useToDecrypt",
)
KEY_NAME_FORMAT = "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"
_COLLECTIONS = ["projects", "locations", "keyRings", "cryptoKeys"]


def key_parts(name: str) -> list[str] | None:
    """Return the parts of a key's full name; None if it is none."""
    parts = name.split("/")
    fits = len(parts) == 2 * len(_COLLECTIONS) and parts[::2] == _COLLECTIONS and all(parts)
    return parts if fits else None


def key_of(dataset: dict[str, Any]) -> str:
    """Return the full name of a dataset's key; empty for Google's own."""
    name: str = dataset.get("encryptionSpec", {}).get("kmsKeyName", "")
    return name


class KeyAccess:
    """Checks that the service agent can use the keys of datasets."""

    def __init__(self, resources: Resources, keys: Keys, agent: ServiceAgent) -> None:
        self._resources = resources
        self._keys = keys
        self._agent = agent

    def check_new_dataset(self, project: str, location: str, body: dict[str, Any]) -> None:
        """Refuse a new dataset whose key can't be used.

        Raises:
            ApiError: 400 for a key that does not exist or is in another location, 403 if the agent
                may not use it.
        """
        key = key_of(body)
        if not key:
            return
        parts = key_parts(key)
        if parts is None:
            raise invalid_argument(f"invalid KMS key name {key!r}: {KEY_NAME_FORMAT}")
        if parts[3] != location:
            raise invalid_argument(
                f"the KMS key {key} is in {parts[3]}, the dataset in {location}: they must be in "
                "one location"
            )
        if not self._keys.exists(key):
            raise invalid_argument(f"the KMS key {key} does not exist")
        self._require(project, key)

    def require(self, dataset: str) -> None:
        """Refuse to read or write a dataset whose key can't be used.

        Raises:
            ApiError: 400 for a key that is disabled or destroyed, 403 if the agent may not use it.
        """
        key = key_of(self._resources.get(dataset))
        if key:
            self._require(ResourceName.parse(dataset).project, key)

    def _require(self, project: str, key: str) -> None:
        for permission in _PERMISSIONS:
            self._agent.require_on_key(project, key, permission, ROLE)
        if not self._keys.usable(key):
            raise failed_precondition(
                f"the KMS key {key} is not enabled: its primary version is disabled or destroyed"
            )
