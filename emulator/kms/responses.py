"""Requests and answers of Cloud KMS."""

from typing import Any

from emulator.discovery import api, camel_case
from emulator.errors import invalid_argument
from emulator.http import Call, page
from emulator.labels import check_labels

SERVICE = "cloudkms.googleapis.com"
_PATCHABLE = frozenset({"labels", "rotationPeriod", "nextRotationTime", "versionTemplate"})


def rings(call: Call) -> str:
    """The collection of the key rings in the path."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, SERVICE)
    return f"projects/{project}/locations/{call.path['location']}/keyRings"


def ring(call: Call) -> str:
    """The full name of the key ring in the path."""
    return f"{rings(call)}/{call.path['ring']}"


def key(call: Call) -> str:
    """The full name of the key in the path."""
    return f"{ring(call)}/cryptoKeys/{call.path['key']}"


def version(call: Call) -> str:
    """The full name of the version in the path."""
    return f"{key(call)}/cryptoKeyVersions/{call.path['version']}"


def exists(call: Call, name: str) -> bool:
    """Whether a ring or a key is there."""
    return call.cloud.keys.exists(name)


def create_ring(call: Call) -> dict[str, Any]:
    """Create a key ring."""
    api("cloudkms", "v1").check("KeyRing", call.body)
    return call.cloud.keys.create(rings(call), call.query.get("keyRingId", ""), {})


def list_rings(call: Call) -> dict[str, Any]:
    """The key rings of a location."""
    found = call.cloud.keys.list(rings(call))
    return page(found, call.query, "keyRings", default=100, most=1000)


def get_ring(call: Call) -> dict[str, Any]:
    """One key ring."""
    return call.cloud.keys.get(ring(call))


def create_key(call: Call) -> dict[str, Any]:
    """Create a key, with its first version unless the query says otherwise."""
    messages = api("cloudkms", "v1")
    messages.check("CryptoKey", call.body)
    body = messages.normal("CryptoKey", call.body)
    check_labels(body.get("labels", {}))
    if not body.get("purpose"):
        raise invalid_argument("CryptoKey.purpose must be set, such as ENCRYPT_DECRYPT.")
    made = call.cloud.keys.create(
        f"{ring(call)}/cryptoKeys", call.query.get("cryptoKeyId", ""), _with_template(body)
    )
    if call.query.get("skipInitialVersionCreation") != "true":
        call.cloud.keys.add_version(made["name"])
    return call.cloud.keys.get(made["name"])


def _with_template(body: dict[str, Any]) -> dict[str, Any]:
    template = {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}
    return {
        "destroyScheduledDuration": "2592000s",
        **body,
        "versionTemplate": {**template, **body.get("versionTemplate", {})},
    }


def list_keys(call: Call) -> dict[str, Any]:
    """The keys of a ring."""
    call.cloud.keys.get(ring(call))
    found = call.cloud.keys.list(f"{ring(call)}/cryptoKeys")
    return page(found, call.query, "cryptoKeys", default=100, most=1000)


def get_key(call: Call) -> dict[str, Any]:
    """One key."""
    return call.cloud.keys.get(key(call))


def patch_key(call: Call) -> dict[str, Any]:
    """Change the fields of a key that the mask names."""
    messages = api("cloudkms", "v1")
    messages.check("CryptoKey", call.body)
    mask = call.query.get("updateMask", "")
    fields = {camel_case(field.strip()).partition(".")[0] for field in mask.split(",") if field}
    if not fields:
        raise invalid_argument("update_mask must be set.")
    if wrong := sorted(fields - _PATCHABLE):
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed.")
    body = messages.normal("CryptoKey", call.body)
    check_labels(body.get("labels", {}))
    return call.cloud.keys.update(key(call), {field: body.get(field) for field in fields})


def create_version(call: Call) -> dict[str, Any]:
    """Add a version to a key."""
    return call.cloud.keys.add_version(key(call))


def list_versions(call: Call) -> dict[str, Any]:
    """The versions of a key."""
    call.cloud.keys.get(key(call))
    found = call.cloud.keys.list(f"{key(call)}/cryptoKeyVersions")
    return page(found, call.query, "cryptoKeyVersions", default=100, most=1000)


def get_version(call: Call) -> dict[str, Any]:
    """One version."""
    return call.cloud.keys.get(version(call))


def destroy_version(call: Call) -> dict[str, Any]:
    """Schedule a version for destruction."""
    return call.cloud.keys.destroy(version(call))
