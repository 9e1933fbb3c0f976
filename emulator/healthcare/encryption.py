"""The customer-managed key of a dataset: checked when it is made, and whenever its data is used.

https://cloud.google.com/healthcare-api/docs/cmek
"""

from typing import TYPE_CHECKING, Any

from emulator.errors import failed_precondition, invalid_argument, permission_denied

if TYPE_CHECKING:
    from emulator.cloud import Cloud

ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_PERMISSIONS = (
    "cloudkms.cryptoKeyVersions.useToEncrypt",
    "cloudkms.cryptoKeyVersions.useToDecrypt",
)
FORM_OF_NAMES = "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"
_COLLECTIONS = ["projects", "locations", "keyRings", "cryptoKeys"]


def key_parts(name: str) -> list[str] | None:
    """The parts of a key's full name; None if it is none."""
    parts = name.split("/")
    fits = len(parts) == 2 * len(_COLLECTIONS) and parts[::2] == _COLLECTIONS and all(parts)
    return parts if fits else None


def key_of(dataset: dict[str, Any]) -> str:
    """The full name of a dataset's key; empty for Google's own."""
    name: str = dataset.get("encryptionSpec", {}).get("kmsKeyName", "")
    return name


def check_new(cloud: "Cloud", project: str, location: str, body: dict[str, Any]) -> None:
    """Refuse a new dataset whose key can't be used.

    Raises:
        ApiError: 400 for a key elsewhere or none, 403 without the agent's right to use it.
    """
    key = key_of(body)
    if not key:
        return
    parts = key_parts(key)
    if parts is None:
        raise invalid_argument(f"invalid KMS key name {key!r}: {FORM_OF_NAMES}")
    if parts[3] != location:
        raise invalid_argument(
            f"the KMS key {key} is in {parts[3]}, the dataset in {location}: they must be in one "
            "location"
        )
    if not cloud.keys.exists(key):
        raise invalid_argument(f"the KMS key {key} does not exist")
    _require(cloud, project, key)


def require(cloud: "Cloud", dataset: str) -> None:
    """Refuse to read or write a dataset whose key is out of reach.

    Raises:
        ApiError: 400 for a key that is disabled or destroyed, 403 without the agent's right.
    """
    key = key_of(cloud.healthcare.get(dataset))
    if key:
        _require(cloud, dataset.split("/")[1], key)


def require_permission(
    cloud: "Cloud", project: str, key: str, permission: str, role: str = ROLE
) -> None:
    """Refuse what a project's service agent has no permission on a key for.

    Raises:
        ApiError: 403, naming the agent, the permission and a role that brings it.
    """
    ring = key.rpartition("/cryptoKeys/")[0]
    owner = "/".join(key.split("/")[:2])
    agent = cloud.services.healthcare_agent(project)
    if not cloud.policies.allows([owner, ring, key], f"serviceAccount:{agent}", permission):
        raise permission_denied(
            f"{agent} does not have {permission} on the KMS key {key}. Please grant the Cloud "
            f"Healthcare Service Agent the role {role}."
        )


def _require(cloud: "Cloud", project: str, key: str) -> None:
    for permission in _PERMISSIONS:
        require_permission(cloud, project, key, permission)
    if not cloud.keys.usable(key):
        raise failed_precondition(
            f"the KMS key {key} is not enabled: its primary version is disabled or destroyed"
        )
